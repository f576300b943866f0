"""A training step beside that of the detector underneath.

    python benchmarks/train_step.py configs/da_faster_city2foggy.py --pair DIR

times `train_step` (preprocessing, forward, backward, optimizer) of

  stock    MMDetection's own detector, all images of both domains labelled
  ours     the config, half of the images of the target
  off      the config with its domain modules off, the same two domains

on batches of the config's own data, in turn, and prints medians, peak memory
(the step's, with weights, gradients and the optimizer's state) and ratios to
`stock`. More, with --variants: see VARIANTS. Hooks do not run. The weights are
random, the statistics of frozen batch norms measured once, the learning rate
is 0.
"""
import copy
from typing import Callable, Dict, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from common import (Peak, device, interleave, load_config, loaders, machine,
                    make_parser, positive, ratio, seconds, table)
from mmdet.registry import MODELS
from mmengine.config import Config, ConfigDict
from mmengine.optim import build_optim_wrapper
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from da_faster.engine.loops.da_loop import PairedIterator
from da_faster.models.adversarial.da_roi_head import without_bfloat16

STOCK = dict(
    DAFasterRCNN='FasterRCNN',
    DASingleStageDetector='SingleStageDetector',
    DARoIHead='StandardRoIHead',
    DomainDataPreprocessor='DetDataPreprocessor')
DOMAIN_PARTS = ('loss_consistency', 'instance_domain_head', 'domain_neck')


def stock(model: ConfigDict, optimizer: dict) -> None:
    """The same detector without anything of ours (but for VGG16)."""
    for part in DOMAIN_PARTS:
        model.pop(part, None)
    for part in (model, model.get('roi_head', {}), model.data_preprocessor):
        if part:
            part.type = STOCK.get(part.type, part.type)


def without(*parts: str) -> Callable:

    def change(model: ConfigDict, optimizer: dict) -> None:
        model.update({k: None for k in parts if k in model})

    return change


def setting(name: str, **options) -> Callable:

    def change(model: ConfigDict, optimizer: dict) -> None:
        if not model.get(name):
            raise SystemExit(f'The config has no {name}; leave out the '
                             f'variant that sets its {", ".join(options)}.')
        model[name].update(options)

    return change


def option(**options) -> Callable:

    def change(model: ConfigDict, optimizer: dict) -> None:
        optimizer.update(options)

    return change


def two_passes(own_padding: bool) -> Callable:
    """One pass of the backbone for each domain.

    Args:
        own_padding (bool): Whether a domain's images are padded to their own
            largest, and only the features to those of the other domain.
    """

    def change(model: nn.Module, batch: dict) -> None:
        extract = model.extract_feat
        divisor = model.data_preprocessor.pad_size_divisor
        sizes = [[
            -(-max(image.shape[axis] for image in images) // divisor) * divisor
            for axis in (1, 2)
        ] for images in batch['inputs'].values()]

        def extract_feat(images):
            halves = images.chunk(2)
            if own_padding:
                halves = [x[..., :h, :w] for x, (h, w) in zip(halves, sizes)]
            return tuple(map(join, zip(*map(extract, halves))))

        model.extract_feat = extract_feat

    def join(level) -> torch.Tensor:
        height, width = (max(x.shape[axis] for x in level) for axis in (2, 3))
        return torch.cat([
            F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2]))
            for x in level
        ])

    return change


def channels_last(model: nn.Module, batch: dict) -> None:
    """The backbone alone: mmcv's RoIAlign takes the usual layout."""
    model.backbone.to(memory_format=torch.channels_last)
    forward = model.backbone.forward

    def backbone(x):
        x = x.contiguous(memory_format=torch.channels_last)
        return tuple(level.contiguous() for level in forward(x))

    model.backbone.forward = backbone


def compiled(model: nn.Module, batch: dict) -> None:
    model.backbone.compile()


# Name: (change of the config, change of the model).
VARIANTS: Dict[str, Tuple] = {
    'stock': (stock, None),
    'ours': (None, None),
    'off': (without(*DOMAIN_PARTS), None),
    'no-consistency': (without('loss_consistency'), None),
    'image': (without('loss_consistency', 'instance_domain_head'), None),
    'all-cells': (setting('domain_neck', cell_stride=1), None),
    'fresh-dropout': (setting('instance_domain_head', shared_dropout=False),
                      None),
    'two-passes': (None, two_passes(own_padding=False)),
    'own-padding': (None, two_passes(own_padding=True)),
    'channels-last': (None, channels_last),
    'compile': (None, compiled),
    'foreach': (option(foreach=True), None),
    'for-loop': (option(foreach=False), None),
    'fused': (option(fused=True), None),
}


def set_precision(cfg: Config, precision: str) -> None:
    """PyTorch's own choice is TF32 for convolutions and not for products."""
    if precision != 'fp32' and not torch.cuda.is_available():
        raise SystemExit(f'--precision {precision} needs an accelerator.')
    tf32 = precision == 'tf32'
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = cfg.get('env_cfg', {}).get(
        'cudnn_benchmark', False)
    for key in ('dtype', 'loss_scale', 'use_fsdp'):
        cfg.optim_wrapper.pop(key, None)
    cfg.optim_wrapper.type = 'OptimWrapper'
    if precision == 'fp16':
        # A fixed scale: a dynamic one skips steps until it has settled.
        cfg.optim_wrapper.update(
            type='AmpOptimWrapper', dtype='float16', loss_scale=512.)
    elif precision == 'bf16':
        # Numbers of fp32's range need no scaling of the loss.
        cfg.optim_wrapper.update(
            type='AmpOptimWrapper',
            dtype='bfloat16',
            loss_scale=dict(enabled=False))


class Step:
    """A model, its optimizer and the batch it takes a step on."""

    def __init__(self, cfg: Config, name: str, batch: dict) -> None:
        cfg = copy.deepcopy(cfg)
        change_config, self.change_model = VARIANTS[name]
        if change_config:
            change_config(cfg.model, cfg.optim_wrapper.optimizer)
        cfg.optim_wrapper.optimizer.lr = 0.
        torch.manual_seed(0)
        self.model = MODELS.build(cfg.model).to(device())
        self.model.init_weights()
        if name == 'stock' and hasattr(self.model, 'roi_head'):
            # As DARoIHead has it: without, stock cannot train in bfloat16.
            self.model.roi_head.bbox_roi_extractor.register_forward_pre_hook(
                without_bfloat16)
        self.optim_wrapper = build_optim_wrapper(self.model,
                                                 cfg.optim_wrapper)
        self.batch = batch

    def calibrate(self) -> None:
        """Lets frozen batch norms whiten what random weights make of images,
        as those of pretrained weights do: else numbers grow at each layer."""
        norms = [m for m in self.model.modules() if isinstance(m, _BatchNorm)]
        self.model.train()
        momenta = [m.momentum for m in norms]
        for norm in norms:
            norm.train()
            norm.momentum = 1.
        with torch.no_grad():
            self.run_forward()
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
        self.model.train()

    def run_forward(self) -> None:
        data = self.model.data_preprocessor(copy.deepcopy(self.batch), True)
        self.model(**data, mode='loss')

    def finish(self, weights: dict) -> None:
        """Takes the weights that all variants share."""
        missing = self.model.load_state_dict(weights, strict=False)[0]
        assert not missing, missing
        self.model.train()
        if self.change_model:
            self.change_model(self.model, self.batch)

    def run(self) -> None:
        batch = copy.deepcopy(self.batch)
        torch.manual_seed(0)  # the same draws of RoIs for all
        self.model.train_step(batch, self.optim_wrapper)

    def time(self) -> float:
        return seconds(self.run)

    def memory(self) -> float:
        """Peak bytes of a step; apart from the timing, as the count begins
        with giving free memory back, which makes the step slower."""
        peak = Peak()
        self.run()
        return peak.bytes() + self.resident()

    def resident(self) -> int:
        """Bytes of weights and of the optimizer's state; the gradients' are
        part of the step."""
        tensors = [*self.model.state_dict().values()]
        for state in self.optim_wrapper.optimizer.state.values():
            tensors += [v for v in state.values() if torch.is_tensor(v)]
        return sum(t.numel() * t.element_size() for t in tensors)


def label_target(batch: dict) -> dict:
    """A plain batch: both domains' images, the target's with the boxes of the
    source's, cut to the image."""
    inputs = batch['inputs']['source'] + batch['inputs']['target']
    source, target = copy.deepcopy(
        (batch['data_samples']['source'], batch['data_samples']['target']))
    for i, sample in enumerate(target):
        like = copy.deepcopy(source[i % len(source)])
        sample.gt_instances = like.gt_instances
        sample.ignored_instances = like.ignored_instances
        sample.gt_instances.bboxes.clip_(sample.img_shape)
        if 'masks' in sample.gt_instances:
            sample.gt_instances.masks = sample.gt_instances.masks.resize(
                sample.img_shape)
    return dict(inputs=inputs, data_samples=source + target)


def parse_args():
    parser = make_parser(__doc__)
    parser.add_argument(
        '--images', type=positive, default=1, help='of each domain in a batch')
    parser.add_argument(
        '--precision',
        choices=['fp32', 'tf32', 'fp16', 'bf16'],
        default='fp32',
        help='of matrix products and convolutions; fp16 and bf16 by '
        'AmpOptimWrapper. All but fp32 need an accelerator')
    parser.add_argument(
        '--variants',
        nargs='+',
        choices=list(VARIANTS),
        default=['stock', 'ours', 'off'],
        help='the first is what the others are compared with')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args, need_target=True)
    set_precision(cfg, args.precision)
    paired = next(
        PairedIterator(
            **loaders(cfg, batch_size=args.images, num_workers=0)))
    plain = label_target(paired)
    reference = Step(cfg, 'ours', paired)
    reference.calibrate()
    weights = reference.model.state_dict()
    steps = {}
    for name in args.variants:
        steps[name] = Step(cfg, name, plain if name == 'stock' else paired)
        steps[name].finish(weights)
    del reference

    time = interleave({k: step.time for k, step in steps.items()},
                      args.repeats)
    memory = interleave({k: step.memory for k, step in steps.items()}, 1)
    first = args.variants[0]
    sizes = ', '.join('x'.join(map(str, image.shape[-2:]))
                      for image in plain['inputs'])
    print(f'{args.config}: {args.images} + {args.images} images ({sizes}); '
          f'{args.precision}; {machine()}; {args.repeats} rounds, median '
          '(least-most)\n')
    print(
        table(('step', 's', f'time / {first}', 'peak MiB',
               f'memory / {first}'), *(
                   (name, f'{np.median(time[name]):.3f}',
                    ratio(time[name], time[first]),
                    f'{memory[name][0] / 2**20:.0f}',
                    f'{memory[name][0] / memory[first][0]:.3f}')
                   for name in args.variants)))


if __name__ == '__main__':
    main()

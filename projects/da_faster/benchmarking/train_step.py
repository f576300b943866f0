"""Compares a training step with that of the detector underneath."""

import copy
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.config import Config, ConfigDict
from mmengine.optim import build_optim_wrapper
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from da_faster.engine.loops.da_loop import PairedIterator
from da_faster.errors import UserError
from da_faster.models.adversarial.da_roi_head import without_bfloat16

from .inputs import loaders
from .speed import Peak, device, interleave, seconds

STOCK = dict(
    DAFasterRCNN='FasterRCNN',
    DASingleStageDetector='SingleStageDetector',
    DARoIHead='StandardRoIHead',
    DomainDataPreprocessor='DetDataPreprocessor',
)
DOMAIN_PARTS = ('loss_consistency', 'instance_domain_head', 'domain_neck')


def stock(model: ConfigDict, optimizer: dict) -> None:
    """Makes a config that of MMDetection's detector (but for VGG16)."""
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
            raise UserError(
                f'The config has no {name}; leave out the '
                f'variant that sets its {", ".join(options)}.'
            )
        model[name].update(options)

    return change


def option(**options) -> Callable:

    def change(model: ConfigDict, optimizer: dict) -> None:
        optimizer.update(options)

    return change


def two_passes(own_padding: bool) -> Callable:
    """Gives each domain a pass of the backbone of its own.

    Args:
        own_padding (bool): Whether images are padded to the largest of their
            own domain. The features are then padded to those of the other.
    """

    def change(model: nn.Module, batch: dict) -> None:
        extract = model.extract_feat
        divisor = model.data_preprocessor.pad_size_divisor
        sizes = [
            [
                -(-max(image.shape[axis] for image in images) // divisor)
                * divisor
                for axis in (1, 2)
            ]
            for images in batch['inputs'].values()
        ]

        def extract_feat(images):
            halves = images.chunk(2)
            if own_padding:
                halves = [x[..., :h, :w] for x, (h, w) in zip(halves, sizes)]
            return tuple(map(join, zip(*map(extract, halves))))

        model.extract_feat = extract_feat

    def join(level) -> torch.Tensor:
        height, width = (max(x.shape[axis] for x in level) for axis in (2, 3))
        return torch.cat(
            [
                F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2]))
                for x in level
            ]
        )

    return change


def channels_last(model: nn.Module, batch: dict) -> None:
    """Changes the backbone alone: RoIAlign takes the usual layout only."""
    model.backbone.to(memory_format=torch.channels_last)
    forward = model.backbone.forward

    def backbone(x):
        x = x.contiguous(memory_format=torch.channels_last)
        return tuple(level.contiguous() for level in forward(x))

    model.backbone.forward = backbone


def compiled(model: nn.Module, batch: dict) -> None:
    model.backbone.compile()


# Each changes the config, the model, or neither.
VARIANTS: dict[str, tuple] = {
    'stock': (stock, None),
    'ours': (None, None),
    'off': (without(*DOMAIN_PARTS), None),
    'no-consistency': (without('loss_consistency'), None),
    'image': (without('loss_consistency', 'instance_domain_head'), None),
    'all-cells': (setting('domain_neck', cell_stride=1), None),
    'fresh-dropout': (
        setting('instance_domain_head', shared_dropout=False),
        None,
    ),
    'two-passes': (None, two_passes(own_padding=False)),
    'own-padding': (None, two_passes(own_padding=True)),
    'channels-last': (None, channels_last),
    'compile': (None, compiled),
    'foreach': (option(foreach=True), None),
    'for-loop': (option(foreach=False), None),
    'fused': (option(fused=True), None),
}


def set_precision(cfg: Config, precision: str) -> None:
    """Sets what a training computes in; PyTorch's default is a mixture.

    Args:
        cfg (Config): The config; its optimizer wrapper is changed.
        precision (str): fp32, tf32, fp16 or bf16.

    Raises:
        UserError: If the precision needs an accelerator and there is none.
    """
    if precision != 'fp32' and not torch.cuda.is_available():
        raise UserError(f'--precision {precision} needs an accelerator.')
    tf32 = precision == 'tf32'
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = cfg.get('env_cfg', {}).get(
        'cudnn_benchmark', False
    )
    for key in ('dtype', 'loss_scale', 'use_fsdp'):
        cfg.optim_wrapper.pop(key, None)
    cfg.optim_wrapper.type = 'OptimWrapper'
    if precision == 'fp16':
        # A dynamic scale would skip steps until it has settled.
        cfg.optim_wrapper.update(
            type='AmpOptimWrapper', dtype='float16', loss_scale=512.0
        )
    elif precision == 'bf16':
        # bfloat16 has the range of fp32, so the loss needs no scale.
        cfg.optim_wrapper.update(
            type='AmpOptimWrapper',
            dtype='bfloat16',
            loss_scale=dict(enabled=False),
        )


class Step:
    """A model, its optimizer and the batch that it takes a step on.

    Args:
        cfg (Config): The config of the adapted detector.
        name (str): One of VARIANTS.
        batch (dict): The batch, of two domains or plain.
    """

    def __init__(self, cfg: Config, name: str, batch: dict) -> None:
        cfg = copy.deepcopy(cfg)
        change_config, self.change_model = VARIANTS[name]
        if change_config:
            change_config(cfg.model, cfg.optim_wrapper.optimizer)
        cfg.optim_wrapper.optimizer.lr = 0.0
        torch.manual_seed(0)
        self.model = MODELS.build(cfg.model).to(device())
        self.model.init_weights()
        if name == 'stock' and hasattr(self.model, 'roi_head'):
            # As in DARoIHead: else stock cannot train in bfloat16.
            self.model.roi_head.bbox_roi_extractor.register_forward_pre_hook(
                without_bfloat16
            )
        self.optim_wrapper = build_optim_wrapper(self.model, cfg.optim_wrapper)
        self.batch = batch

    def calibrate(self) -> None:
        """Gives the frozen batch norms the statistics of the batch.

        With random weights, numbers would else grow at each layer.
        """
        norms = [m for m in self.model.modules() if isinstance(m, _BatchNorm)]
        self.model.train()
        momenta = [m.momentum for m in norms]
        for norm in norms:
            norm.train()
            norm.momentum = 1.0
        with torch.no_grad():
            self.run_forward()
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
        self.model.train()

    def run_forward(self) -> None:
        data = self.model.data_preprocessor(copy.deepcopy(self.batch), True)
        self.model(**data, mode='loss')

    def finish(self, weights: dict) -> None:
        """Loads the weights that all variants share, and gets ready."""
        missing = self.model.load_state_dict(weights, strict=False)[0]
        assert not missing, missing
        self.model.train()
        if self.change_model:
            self.change_model(self.model, self.batch)

    def run(self) -> None:
        """Takes a training step."""
        batch = copy.deepcopy(self.batch)
        torch.manual_seed(0)  # the same draws of RoIs for all
        self.model.train_step(batch, self.optim_wrapper)

    def time(self) -> float:
        """Gives the seconds of a step."""
        return seconds(self.run)

    def memory(self) -> float:
        """Gives the peak bytes of a step.

        Measured apart from the time: free memory is given back before, which
        makes the step slower.
        """
        peak = Peak()
        self.run()
        return peak.bytes() + self.resident()

    def resident(self) -> int:
        """Gives the bytes of the weights and of the optimizer's state.

        Those of the gradients are part of the step.
        """
        tensors = [*self.model.state_dict().values()]
        for state in self.optim_wrapper.optimizer.state.values():
            tensors += [v for v in state.values() if torch.is_tensor(v)]
        return sum(t.numel() * t.element_size() for t in tensors)


def label_target(batch: dict) -> dict:
    """Makes a plain batch of all images of both domains.

    Images of the target get the boxes of the source's, cut to the image.
    """
    inputs = batch['inputs']['source'] + batch['inputs']['target']
    source, target = copy.deepcopy(
        (batch['data_samples']['source'], batch['data_samples']['target'])
    )
    for i, sample in enumerate(target):
        like = copy.deepcopy(source[i % len(source)])
        sample.gt_instances = like.gt_instances
        sample.ignored_instances = like.ignored_instances
        sample.gt_instances.bboxes.clip_(sample.img_shape)
        if 'masks' in sample.gt_instances:
            sample.gt_instances.masks = sample.gt_instances.masks.resize(
                sample.img_shape
            )
    return dict(inputs=inputs, data_samples=source + target)


class Comparison(NamedTuple):
    """Of training steps.

    Attributes:
        time: Seconds of each round, by variant.
        memory: Peak bytes, by variant.
        sizes: Height and width of the images of the batch.
    """

    time: dict[str, list[float]]
    memory: dict[str, float]
    sizes: list[tuple[int, int]]


def compare_steps(
    cfg: Config, images: int, variants: Sequence[str], repeats: int
) -> Comparison:
    """Times the variants' training steps on a batch of the config's data.

    Args:
        cfg (Config): Of an adapted detector.
        images (int): Images of each domain in the batch.
        variants (sequence of str): Names out of VARIANTS.
        repeats (int): Rounds that count.
    """
    paired = next(
        PairedIterator(**loaders(cfg, batch_size=images, num_workers=0))
    )
    plain = label_target(paired)
    reference = Step(cfg, 'ours', paired)
    reference.calibrate()
    weights = reference.model.state_dict()
    steps = {}
    for name in variants:
        steps[name] = Step(cfg, name, plain if name == 'stock' else paired)
        steps[name].finish(weights)
    del reference
    time = interleave({k: step.time for k, step in steps.items()}, repeats)
    memory = interleave({k: step.memory for k, step in steps.items()}, 1)
    return Comparison(
        time,
        {k: v[0] for k, v in memory.items()},
        [tuple(image.shape[-2:]) for image in plain['inputs']],
    )

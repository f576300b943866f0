"""Compares a training step with that of the plain detector."""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch.nn.modules.batchnorm import _BatchNorm

from da_faster.engine.loops.da_loop import PairedIterator
from da_faster.errors import UserError
from da_faster.models.adversarial.da_roi_head import without_bfloat16

from .inputs import loaders
from .measuring import Peak, device, interleave, seconds
from .step_variants import VARIANTS
from .teacher_step import (
    Work,
    label_target,
    learner,
    update_hook,
)


def set_precision(cfg: Config, precision: str) -> None:
    """Sets the precision of a training; PyTorch's default is a mixture.

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

    A MeanTeacher takes a step of self-training, and moves its teacher. A
    StandIn gives it labels of the source.

    Args:
        cfg (Config): The config of the adapted detector.
        name (str): One of VARIANTS.
        batch (dict): A batch of two domains, or a plain one.
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
            # Stock could not train in bfloat16 without the hook of DARoIHead.
            self.model.roi_head.bbox_roi_extractor.register_forward_pre_hook(
                without_bfloat16
            )
        self.optim_wrapper = build_optim_wrapper(self.model, cfg.optim_wrapper)
        self.batch = batch
        self.work = Work(self.model)
        self.hook = None
        if self.work.stand_in:
            self.work.stand_in.show(batch['data_samples'])
            self.hook = update_hook(cfg)

    def calibrate(self, batch: dict) -> None:
        """Gives the frozen batch norms the statistics of a batch.

        With random weights, the activations would otherwise grow at each
        layer.

        Args:
            batch (dict): A plain batch.
        """
        detector = learner(self.model)
        norms = [m for m in detector.modules() if isinstance(m, _BatchNorm)]
        self.model.train()
        momenta = [m.momentum for m in norms]
        for norm in norms:
            norm.train()
            norm.momentum = 1.0
        with torch.no_grad():
            data = self.model.data_preprocessor(copy.deepcopy(batch), True)
            self.model(**data, mode='loss')
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
        self.model.train()

    def finish(self, weights: dict) -> None:
        """Loads the weights that all variants share, and prepares the step.

        Args:
            weights (dict): The state dict of the detector that learns.
        """
        detector = learner(self.model)
        missing = detector.load_state_dict(weights, strict=False)[0]
        assert not missing, missing
        if self.hook:
            self.model.teacher.load_state_dict(detector.state_dict())
        self.model.train()
        if self.change_model:
            self.change_model(self.model, self.batch)

    def run(self) -> None:
        """Takes a training step."""
        batch = copy.deepcopy(self.batch)
        torch.manual_seed(0)  # all variants draw the same RoIs
        self.work.take()
        self.model.train_step(batch, self.optim_wrapper)
        if self.hook:
            self.hook.momentum_update(self.model, self.hook.momentum)

    def time(self) -> float:
        """Returns the seconds of a step."""
        return seconds(self.run)

    def memory(self) -> float:
        """Returns the peak bytes of a step.

        Memory is measured apart from time: free memory is given back before
        the step, which makes the step slower.
        """
        peak = Peak()
        self.run()
        return peak.bytes() + self.resident()

    def resident(self) -> int:
        """Returns the bytes of the weights and of the optimizer's state.

        The step allocates the gradients, so they are not among these bytes.
        """
        tensors = [*self.model.state_dict().values()]
        for state in self.optim_wrapper.optimizer.state.values():
            tensors += [v for v in state.values() if torch.is_tensor(v)]
        return sum(t.numel() * t.element_size() for t in tensors)


def as_stock(batch: dict) -> dict:
    """Makes a plain batch of all images of both domains, all labelled."""
    inputs, samples = batch['inputs'], batch['data_samples']
    source = copy.deepcopy(samples['source'])
    return dict(
        inputs=inputs['source'] + inputs['target'],
        data_samples=source + label_target(source, samples['target']),
    )


class Comparison(NamedTuple):
    """The figures of training steps.

    Attributes:
        time (dict[str, list[float]]): By variant, the seconds of each round.
        memory (dict[str, float]): By variant, the peak bytes.
        sizes (list[tuple[int, int]]): Height and width of the images.
        work (dict[str, dict[str, int]]): By variant, the counts of
            :meth:`Work.take`.
    """

    time: dict[str, list[float]]
    memory: dict[str, float]
    sizes: list[tuple[int, int]]
    work: dict[str, dict[str, int]]


def compare_steps(
    cfg: Config, images: int, variants: Sequence[str], repeats: int
) -> Comparison:
    """Times the variants' training steps on a batch of the config's data.

    Args:
        cfg (Config): The config of an adapted detector.
        images (int): Images of each domain in the batch.
        variants (Sequence[str]): Names of VARIANTS.
        repeats (int): Rounds that count.
    """
    paired = next(
        PairedIterator(**loaders(cfg, batch_size=images, num_workers=0))
    )
    plain = as_stock(paired)
    reference = Step(cfg, 'ours', paired)
    reference.calibrate(plain)
    weights = learner(reference.model).state_dict()
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
        {name: step.work.take() for name, step in steps.items()},
    )

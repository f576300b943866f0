"""Converts a checkpoint of the maskrcnn-benchmark port of DA Faster R-CNN.

The port is github.com/krumo/Domain-Adaptive-Faster-RCNN-PyTorch, R50-C4. Names
of tensors differ, and beside them:

- Class 0 is the background; in MMDetection it is the last. The box regression
  of the background is dropped.
- The port's frozen batch norm divides by sqrt(var), PyTorch's by
  sqrt(var + eps): the scale is adjusted.
- The order of anchors is taken from the anchors in the checkpoint. Their x2
  and y2 are the last pixel; ours are one more.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import mmengine
import torch
from mmdet.registry import DATASETS, MODELS
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from da_faster.config_files import enter_scope, read_config
from da_faster.engine.checkpoints.reading import (
    check_weights,
    name_some,
    read_checkpoint,
)
from da_faster.engine.checkpoints.writing import check_free, write_together
from da_faster.errors import UserError
from da_faster.files import file_sha256

DOMAIN_PARTS = ('domain_neck', 'instance_domain_head', 'loss_consistency')
ANCHORS = 'rpn.anchor_generator.cell_anchors.0'
CLS = 'roi_head.bbox_head.fc_cls'
REG = 'roi_head.bbox_head.fc_reg'
# Our prefixes and theirs; the first that fits counts. The rest of a name is
# the same.
PREFIXES = (
    (r'backbone\.(?=conv1|bn1)', 'backbone.body.stem.'),
    (r'backbone\.', 'backbone.body.'),
    (r'rpn_head\.rpn_conv', 'rpn.head.conv'),
    (r'rpn_head\.rpn_cls', 'rpn.head.cls_logits'),
    (r'rpn_head\.rpn_reg', 'rpn.head.bbox_pred'),
    (r'roi_head\.shared_head', 'roi_heads.box.feature_extractor.head'),
    (re.escape(CLS), 'roi_heads.box.predictor.cls_score'),
    (re.escape(REG), 'roi_heads.box.predictor.bbox_pred'),
    (r'domain_neck\.classifiers\.0\.conv\.', 'da_heads.imghead.conv1_da.'),
    (r'domain_neck\.classifiers\.0\.conv_domain', 'da_heads.imghead.conv2_da'),
    (r'instance_domain_head\.fcs\.0', 'da_heads.inshead.fc1_da'),
    (r'instance_domain_head\.fcs\.3', 'da_heads.inshead.fc2_da'),
    (r'instance_domain_head\.fc_domain', 'da_heads.inshead.fc3_da'),
)


def their_name(name: str) -> str:
    """Gives the port's name of one of our tensors."""
    for ours, theirs in PREFIXES:
        renamed, count = re.subn(f'^{ours}', theirs, name)
        if count:
            return renamed
    raise UserError(
        f'The config has {name}, which the port has not: give '
        'an R50-C4 config.'
    )


def their_state(checkpoint: dict, path: Path) -> dict[str, Tensor]:
    """Gives the weights of a checkpoint, under the port's plain names."""
    state = checkpoint.get('model', checkpoint)
    if not isinstance(state, dict) or not all(
        isinstance(value, Tensor) for value in state.values()
    ):
        raise UserError(
            f'{path} has no weights under "model": it is not a '
            'checkpoint of maskrcnn-benchmark.'
        )
    # Distributed training wraps the model.
    return {name.removeprefix('module.'): x for name, x in state.items()}


def check_state(
    theirs: dict[str, Tensor],
    names: dict[str, str],
    model: nn.Module,
    path: Path,
) -> None:
    """Checks the names and shapes of the port's tensors.

    Args:
        theirs: The port's weights.
        names: Maps our names to the port's.
        model: The model to fill.
        path: The checkpoint, for messages.

    Raises:
        UserError: If a tensor is missing, unknown or of another shape.
    """
    ours = model.state_dict()
    shapes = {names[name]: list(ours[name].shape) for name in names}
    for kind in ('weight', 'bias'):  # + 4 rows, of the background
        shapes[names[f'{REG}.{kind}']][0] += 4
    shapes[ANCHORS] = list(
        model.rpn_head.prior_generator.base_anchors[0].shape
    )
    wrong = [
        f'{name} ({list(theirs[name].shape)} instead of {shape})'
        for name, shape in shapes.items()
        if name in theirs and list(theirs[name].shape) != shape
    ]
    check_weights(path, theirs, shapes, wrong)


def anchor_order(theirs: Tensor, ours: Tensor, path: Path) -> Tensor:
    """Finds our anchors, (A, 4), among theirs, (A, 4).

    Returns:
        The index of each of ours, (A, ).
    """
    theirs = theirs + theirs.new_tensor([0, 0, 1, 1])
    distance = (ours[:, None] - theirs).abs().amax(-1)
    nearest, order = distance.min(dim=1)
    if nearest.max() > 1e-3 or len(order.unique()) != len(ours):
        worst = int(nearest.argmax())
        raise UserError(
            f'{path} has other anchors than the config, which '
            f"has {ours[worst].tolist()}: see the config's "
            'rpn_head.anchor_generator.'
        )
    return order


def class_rows(source: Sequence[str], classes: Sequence[str]) -> list[int]:
    """Gives the port's index of each class, and 0, the background, last."""
    problems = [
        name_some('unknown', set(source).difference(classes)),
        name_some('missing', set(classes).difference(source)),
        name_some('repeated', {c for c in source if source.count(c) > 1}),
    ]
    if any(problems):
        raise UserError(
            f'--classes must name the classes of the config, '
            f'{" ".join(classes)}, in the order of the '
            f'checkpoint; {"; ".join(filter(None, problems))}.'
        )
    return [1 + source.index(name) for name in classes] + [0]


def fill(
    theirs: dict[str, Tensor],
    names: dict[str, str],
    model: nn.Module,
    rows: list[int],
    path: Path,
) -> None:
    """Fills the model with the port's weights.

    Args:
        theirs: The port's weights.
        names: Maps our names to the port's.
        model: The model to fill.
        rows: The result of :func:`class_rows`.
        path: The checkpoint, for messages.
    """
    state = model.state_dict()  # keeps num_batches_tracked
    state.update({ours: theirs[name].float() for ours, name in names.items()})
    anchors = anchor_order(
        theirs[ANCHORS], model.rpn_head.prior_generator.base_anchors[0], path
    )
    for kind in ('weight', 'bias'):
        cls, reg, rpn_cls, rpn_reg = (
            f'{name}.{kind}'
            for name in (CLS, REG, 'rpn_head.rpn_cls', 'rpn_head.rpn_reg')
        )
        state[cls] = state[cls][rows]
        state[reg] = state[reg].unflatten(0, (-1, 4))[rows[:-1]].flatten(0, 1)
        state[rpn_cls] = state[rpn_cls][anchors]
        state[rpn_reg] = (
            state[rpn_reg].unflatten(0, (-1, 4))[anchors].flatten(0, 1)
        )
    for name, module in model.named_modules():
        if isinstance(module, _BatchNorm):
            var = state[f'{name}.running_var'].double()
            state[f'{name}.weight'] = (
                state[f'{name}.weight'] * ((var + module.eps) / var).sqrt()
            ).float()
    model.load_state_dict(state, strict=True)


class Converted(NamedTuple):
    """The result of :func:`convert_maskrcnn_benchmark`.

    Attributes:
        tensors: How many tensors the port's checkpoint holds.
        classes: How many classes it knows, without the background.
        adapted: Whether it has domain classifiers.
    """

    tensors: int
    classes: int
    adapted: bool


def convert_maskrcnn_benchmark(
    src: Path,
    out: Path,
    config: Path,
    classes: Sequence[str] | None = None,
    cfg_options: Mapping | None = None,
    force: bool = False,
    trust_checkpoint: bool = False,
) -> Converted:
    """Writes a checkpoint of the port as one for a config of ours.

    A checkpoint that was trained without domain adaptation is converted as
    well; the result has no domain classifiers then.

    Args:
        src: The port's checkpoint, ``model_*.pth``.
        out: The checkpoint to write.
        config: The config to convert for. It must have the port's anchors and
            RoIAlign, as
            ``city2foggy/da_faster_city2foggy_maskrcnn_benchmark.py`` does.
        classes: Names of the classes in the order of the checkpoint; by
            default in the order of the config.
        cfg_options: Settings of the config to override, by dotted name.
        force: Replace an earlier result.
        trust_checkpoint: Unpickle the checkpoint, which can run any code in
            it.

    Raises:
        UserError: If an input is missing or does not fit, or if the result
            exists or cannot be written. Nothing is written then.
    """
    src, out, config = map(Path, (src, out, config))
    check_free([out], force)
    cfg = read_config(config, cfg_options)
    enter_scope(cfg)
    meta = DATASETS.build(dict(cfg.test_dataloader.dataset, lazy_init=True))
    dataset_meta = dict(meta.metainfo)
    known = list(dataset_meta['classes'])
    rows = class_rows(classes or known, known)

    theirs = their_state(read_checkpoint(src, trust_checkpoint), src)
    adapted = any(name.startswith('da_heads.') for name in theirs)
    if not adapted:
        cfg.model.update(dict.fromkeys(DOMAIN_PARTS))
    model = MODELS.build(cfg.model)
    names = {
        name: their_name(name)
        for name in model.state_dict()
        if 'num_batches_tracked' not in name
    }
    check_state(theirs, names, model, src)
    fill(theirs, names, model, rows, src)
    checkpoint = dict(
        state_dict=model.state_dict(),
        meta=dict(
            cfg=cfg.pretty_text,
            dataset_meta=dataset_meta,
            mmengine_version=mmengine.__version__,
            source=src.name,
            source_sha256=file_sha256(src),
        ),
    )
    write_together({out: lambda path: torch.save(checkpoint, path)}, force)
    return Converted(len(theirs), len(known), adapted)

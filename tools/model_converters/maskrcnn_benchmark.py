"""Converts a checkpoint of the maskrcnn-benchmark port of DA Faster R-CNN.

    python tools/model_converters/maskrcnn_benchmark.py SRC.pth OUT.pth

SRC is a model_*.pth of github.com/krumo/Domain-Adaptive-Faster-RCNN-PyTorch,
R50-C4. Evaluate OUT with the config it is converted for (--config), as that
has the port's anchors and RoIAlign. A checkpoint that was trained without
domain adaptation is converted as well; it has no domain classifiers then.

Classes: the port numbers them by the category ids of its training json. Its
own Cityscapes converter gives the order person, rider, car, truck, bus, train,
motorcycle, bicycle, which is also ours. If your json differs, print
`[c['name'] for c in sorted(json['categories'], key=lambda c: c['id'])]` and
give the names with --classes.

What differs beside the names:

- Class 0 is the background; in MMDetection it is the last. The background's
  box regression is dropped.
- Its frozen batch norm divides by sqrt(var), PyTorch's by sqrt(var + eps):
  the scale is adjusted.
- The order of anchors is taken from the anchors stored in SRC. Their x2, y2
  are the last pixel; ours are one more.
"""
import argparse
import re
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import mmengine
import torch
from checkpoint_file import (add_common_args, load_config, name_some,
                             need_free, read, write)
from mmdet.registry import DATASETS, MODELS
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from da_faster.engine.checkpoints.files import file_sha256

CONFIG = (
    Path(__file__).parents[2] /
    'configs/da_faster_city2foggy_maskrcnn_benchmark.py')
DOMAIN_PARTS = ('domain_neck', 'instance_domain_head', 'loss_consistency')
ANCHORS = 'rpn.anchor_generator.cell_anchors.0'
CLS = 'roi_head.bbox_head.fc_cls'
REG = 'roi_head.bbox_head.fc_reg'
# Prefixes, ours -> theirs, the first that fits; the rest of a name is common.
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
    """The port's name of a tensor of ours."""
    for ours, theirs in PREFIXES:
        renamed, count = re.subn(f'^{ours}', theirs, name)
        if count:
            return renamed
    raise SystemExit(f'The config has {name}, which the port has not: give '
                     'an R50-C4 config.')


def their_state(checkpoint: dict, path: Path) -> Dict[str, Tensor]:
    """The weights under the port's plain names."""
    state = checkpoint.get('model', checkpoint)
    if not isinstance(state, dict) or not all(
            isinstance(value, Tensor) for value in state.values()):
        raise SystemExit(f'{path} has no weights under "model": it is not a '
                         'checkpoint of maskrcnn-benchmark.')
    # Distributed training wraps the model.
    return {name.removeprefix('module.'): x for name, x in state.items()}


def check_state(theirs: Dict[str, Tensor], names: Dict[str, str],
                model: nn.Module, path: Path) -> None:
    """Every tensor is there, none is left over, all have the right shape.

    Args:
        names: The port's names by ours.
    """
    ours = model.state_dict()
    shapes = {names[name]: list(ours[name].shape) for name in names}
    for kind in ('weight', 'bias'):  # + 4 rows, of the background
        shapes[names[f'{REG}.{kind}']][0] += 4
    shapes[ANCHORS] = list(
        model.rpn_head.prior_generator.base_anchors[0].shape)
    wrong = [
        f'{name} ({list(theirs[name].shape)} instead of {shape})'
        for name, shape in shapes.items()
        if name in theirs and list(theirs[name].shape) != shape
    ]
    problems = [
        name_some('missing', set(shapes).difference(theirs)),
        name_some('unknown', set(theirs).difference(shapes)),
        name_some('of another shape', wrong)
    ]
    if any(problems):
        raise SystemExit(f'{path} does not fit the config; '
                         f'{"; ".join(filter(None, problems))}.')


def anchor_order(theirs: Tensor, ours: Tensor, path: Path) -> Tensor:
    """Where each of our anchors, (A, 4), stands among theirs, (A, 4)."""
    theirs = theirs + theirs.new_tensor([0, 0, 1, 1])
    distance = (ours[:, None] - theirs).abs().amax(-1)
    nearest, order = distance.min(dim=1)
    if nearest.max() > 1e-3 or len(order.unique()) != len(ours):
        worst = int(nearest.argmax())
        raise SystemExit(f"{path} has other anchors than the config, which "
                         f"has {ours[worst].tolist()}: see the config's "
                         'rpn_head.anchor_generator.')
    return order


def class_rows(source: Sequence[str], classes: Sequence[str]) -> List[int]:
    """The port's class index of each class, then of the background, 0."""
    problems = [
        name_some('unknown', set(source).difference(classes)),
        name_some('missing', set(classes).difference(source)),
        name_some('repeated', {c
                               for c in source if source.count(c) > 1})
    ]
    if any(problems):
        raise SystemExit(f'--classes must name the classes of the config, '
                         f'{" ".join(classes)}, in the order of the '
                         f'checkpoint; {"; ".join(filter(None, problems))}.')
    return [1 + source.index(name) for name in classes] + [0]


def convert(theirs: Dict[str, Tensor], names: Dict[str, str],
            model: nn.Module, rows: List[int], path: Path) -> None:
    """Fills the model.

    Args:
        names: The port's names by ours.
        rows: Of :func:`class_rows`.
    """
    state = model.state_dict()  # keeps num_batches_tracked
    state.update({ours: theirs[name].float() for ours, name in names.items()})
    anchors = anchor_order(theirs[ANCHORS],
                           model.rpn_head.prior_generator.base_anchors[0],
                           path)
    for kind in ('weight', 'bias'):
        cls, reg, rpn_cls, rpn_reg = (
            f'{name}.{kind}'
            for name in (CLS, REG, 'rpn_head.rpn_cls', 'rpn_head.rpn_reg'))
        state[cls] = state[cls][rows]
        state[reg] = state[reg].unflatten(0, (-1, 4))[rows[:-1]].flatten(0, 1)
        state[rpn_cls] = state[rpn_cls][anchors]
        state[rpn_reg] = state[rpn_reg].unflatten(
            0, (-1, 4))[anchors].flatten(0, 1)
    for name, module in model.named_modules():
        if isinstance(module, _BatchNorm):
            var = state[f'{name}.running_var'].double()
            state[f'{name}.weight'] = (state[f'{name}.weight'] * (
                (var + module.eps) / var).sqrt()).float()
    model.load_state_dict(state, strict=True)


def parse_args(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('src', type=Path, help="the port's checkpoint")
    parser.add_argument('out', type=Path, help='the checkpoint to write')
    parser.add_argument(
        '--classes',
        nargs='+',
        metavar='NAME',
        help="class names in the checkpoint's order (default: the config's)")
    parser.add_argument(
        '--config', type=Path, default=CONFIG, help=f'default: {CONFIG.name}')
    add_common_args(parser)
    return parser.parse_args(argv)


def main(argv: Optional[Sequence[str]] = None) -> None:
    args = parse_args(argv)
    need_free([args.out], args.force)
    cfg = load_config(args)
    meta = DATASETS.build(dict(cfg.test_dataloader.dataset, lazy_init=True))
    dataset_meta = dict(meta.metainfo)
    classes = list(dataset_meta['classes'])
    rows = class_rows(args.classes or classes, classes)

    theirs = their_state(read(args.src, args.trust), args.src)
    adapted = any(name.startswith('da_heads.') for name in theirs)
    if not adapted:
        cfg.model.update(dict.fromkeys(DOMAIN_PARTS))
    model = MODELS.build(cfg.model)
    names = {
        name: their_name(name)
        for name in model.state_dict() if 'num_batches_tracked' not in name
    }
    check_state(theirs, names, model, args.src)
    convert(theirs, names, model, rows, args.src)
    checkpoint = dict(
        state_dict=model.state_dict(),
        meta=dict(
            cfg=cfg.pretty_text,
            dataset_meta=dataset_meta,
            mmengine_version=mmengine.__version__,
            source=args.src.name,
            source_sha256=file_sha256(args.src)))
    write({args.out: lambda path: torch.save(checkpoint, path)}, args.force)
    domains = 'with domain classifiers' if adapted else (
        'without domain classifiers: a source-only checkpoint')
    print(f'{args.out}: {len(theirs)} tensors, {len(classes)} classes, '
          f'{domains}; for {args.config}')


if __name__ == '__main__':
    main()

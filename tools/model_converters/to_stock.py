"""Turns an adapted detector into a stock MMDetection one, config and weights.

    python tools/model_converters/to_stock.py CONFIG CHECKPOINT OUT.pth

writes OUT.pth and OUT.py (into a folder OUT: with the config's name), which
MMDetection loads and trains where da_faster is not installed, with the same
predictions. Domain classifiers, optimizer, schedulers and logs are left out.

Classes of the config that are not OpenMMLab's become the nearest parent that
is (DAFasterRCNN: FasterRCNN), without the keys that it does not know;
what has no such parent, such as a hook, is left out. Both are printed. A part
of the model without one is refused: VGG16 stays here.

Of a checkpoint with averaged weights these are taken, as tools/test.py does:
EMAHook saves them as `state_dict` and the others as `ema_state_dict`.
"""
import argparse
import inspect
import re
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Set, Tuple

import mmdet.registry
import torch
from checkpoint_file import (add_common_args, load_config, name_some,
                             need_free, read, write)
from mmengine.config import Config
from mmengine.registry import Registry
from torch import Tensor

from da_faster.engine.checkpoints.loading import allow_list

STOCK = ('mmdet', 'mmengine', 'mmcv', 'torch')


def custom_classes() -> Dict[str, Tuple[type, Optional[type]]]:
    """By name: each registered class that is not OpenMMLab's, its parent."""
    found = {}
    for registry in vars(mmdet.registry).values():
        if not isinstance(registry, Registry):
            continue
        # A copy: looking a name up imports what the registry still lacks.
        for name, cls in list(registry.module_dict.items()):
            if cls.__module__.split('.')[0] in STOCK:
                continue
            parents = [
                base for base in inspect.getmro(cls)[1:]
                if base.__module__.split('.')[0] in STOCK
                and registry.get(base.__name__) is base
            ] if inspect.isclass(cls) else []
            found[name] = (cls, parents[0] if parents else None)
    return found


def own_keys(cls: type, parent: type) -> Set[str]:
    """Arguments of a class that its parent's constructor does not know."""
    return set(inspect.signature(cls).parameters).difference(
        inspect.signature(parent).parameters, ('args', 'kwargs'))


class StockConfig:
    """A config with nothing but OpenMMLab's classes in it.

    Args:
        cfg: Is changed.

    Attributes:
        changes: What was replaced or left out, for people.
        dropped_parts: Names of the model's parts that were left out.
    """

    def __init__(self, cfg: Config) -> None:
        self.custom = custom_classes()
        self.changes: List[str] = []
        self.dropped_parts: Set[str] = set()
        if self._is_custom(cfg.model):
            self.dropped_parts = own_keys(*self.custom[cfg.model.type])
        self._in_model = True
        self._visit(cfg.model)
        self._in_model = False
        cfg.pop('custom_imports', None)
        for key in list(cfg):
            value = cfg[key]
            if self._left_out(value):
                cfg.pop(key)
            else:
                self._visit(value)
        self.cfg = cfg

    def _is_custom(self, value) -> bool:
        return isinstance(value, dict) and value.get('type') in self.custom

    def _left_out(self, value) -> bool:
        """Whether it has no stock parent; also notes it."""
        if not self._is_custom(value) or self.custom[value['type']][1]:
            return False
        if self._in_model:
            raise SystemExit(f'{value["type"]}, a part of the model, has no '
                             'counterpart in MMDetection: there is no stock '
                             'config.')
        self._note(f'{value["type"]} left out')
        return True

    def _note(self, change: str) -> None:
        if change not in self.changes:
            self.changes.append(change)

    def _visit(self, value) -> None:
        if self._is_custom(value):
            cls, parent = self.custom[value['type']]
            for key in own_keys(cls, parent):
                value.pop(key, None)
            value['type'] = parent.__name__
            self._note(f'{cls.__name__} -> {parent.__name__}')
        if isinstance(value, dict):
            for key in [k for k, v in value.items() if self._left_out(v)]:
                value.pop(key)
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            if isinstance(value, list):
                value[:] = [item for item in value if not self._left_out(item)]
            for item in value:
                self._visit(item)


def stock_state(checkpoint: dict, stock: Dict[str, Tensor],
                dropped_parts: Set[str], path: Path) -> Dict[str, Tensor]:
    """The detector's weights, all of them and no others.

    Args:
        stock: The stock model's own state.
        dropped_parts: Parts of the model that may be there and are left out.
    """
    state = checkpoint.get('state_dict', checkpoint)
    # As mmengine loads it: a wrapped model's prefix goes.
    state = {re.sub(r'^module\.', '', name): x for name, x in state.items()}
    state = {
        name: x
        for name, x in state.items()
        if name in stock or name.split('.')[0] not in dropped_parts
    }
    wrong = [
        name for name, x in state.items()
        if name in stock and (not isinstance(x, Tensor)
                              or x.shape != stock[name].shape)
    ]
    problems = [
        name_some('missing', set(stock).difference(state)),
        name_some('unknown', set(state).difference(stock)),
        name_some('of another shape', wrong)
    ]
    if any(problems):
        raise SystemExit(f'{path} does not fit the config; '
                         f'{"; ".join(filter(None, problems))}.')
    return state


def parse_args(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('config', type=Path, help="the adapted model's config")
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('out', type=Path, help='OUT.pth, or a folder')
    add_common_args(parser)
    return parser.parse_args(argv)


def main(argv: Optional[Sequence[str]] = None) -> None:
    args = parse_args(argv)
    out = args.out
    if out.suffix != '.pth':
        out = out / f'{args.config.stem}.pth'
    need_free([out, out.with_suffix('.py')], args.force)
    cfg = load_config(args)
    stock = StockConfig(cfg)
    model = mmdet.registry.MODELS.build(cfg.model)

    checkpoint = read(args.checkpoint, args.trust, allow_list())
    state = stock_state(checkpoint, model.state_dict(), stock.dropped_parts,
                        args.checkpoint)
    model.load_state_dict(state, strict=True)
    # DetInferencer takes the config from here where it is given none.
    meta = dict(checkpoint.get('meta', {}), cfg=cfg.pretty_text)
    result = dict(state_dict=state, meta=meta)
    write(
        {
            out: lambda path: torch.save(result, path),
            out.with_suffix('.py'): lambda path: path.write_text(meta['cfg'])
        }, args.force)
    print(f'{out} and {out.with_suffix(".py").name}: {len(state)} tensors; '
          f'{", ".join(stock.changes) or "nothing to replace"}')


if __name__ == '__main__':
    main()

"""What the benchmarks of speed share: config, data, timing, tables."""
import argparse
import ctypes
import os
import os.path as osp
import platform
import sys
import time
from typing import Callable, Dict, List, Sequence

import numpy as np
import torch
from mmdet.utils import register_all_modules
from mmengine.config import Config, DictAction
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

ROOT = osp.dirname(osp.dirname(osp.abspath(__file__)))
# Where the generated pair keeps what a config reads: annotations, images.
SPLITS = dict(
    train=('annotations/source_train.json', 'source/'),
    target=(None, 'target/'),
    val=('annotations/target_test.json', 'target_test/'))


def make_parser(doc: str, many: bool = False) -> argparse.ArgumentParser:
    """With the options that all benchmarks have.

    Args:
        doc (str): The help's text.
        many (bool): Whether several configs may be given (``configs``).
    """
    parser = argparse.ArgumentParser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    if many:
        parser.add_argument('configs', nargs='+', help='train config files')
    else:
        parser.add_argument('config', help='train config file path')
    parser.add_argument(
        '--pair',
        metavar='FOLDER',
        help='take the images of a pair that tools/dataset_converters/'
        'city2foggy.py generated instead of the config\'s own')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='as of train.py')
    parser.add_argument('--repeats', type=positive, default=5)
    return parser


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text} is not at least 1')
    return number


def load_config(args: argparse.Namespace,
                path: str = None,
                need_target: bool = False) -> Config:
    """The config, over the pair if one is given, without pretrained weights.

    Speed does not depend on the weights' origin, and nobody has to wait for a
    download.

    Args:
        args (argparse.Namespace): Of :func:`make_parser`.
        path (str, optional): The config where ``args`` has many.
        need_target (bool): Whether it must be one of two domains.
    """
    register_all_modules()
    # Building a model would log each of its weights.
    MMLogger.get_instance('benchmark', log_level='ERROR')
    path = path or args.config
    if not osp.isfile(path):
        raise SystemExit(f'config {path} does not exist; check the path.')
    cfg = Config.fromfile(path)
    if not cfg.get('train_cfg'):
        raise SystemExit(f'{path} trains nothing; take a train config.')
    if need_target and 'target_dataloader' not in cfg.train_cfg:
        raise SystemExit(f'{path} has no target_dataloader; take a config of '
                         'an adapted detector.')
    if args.pair:
        use_pair(cfg, args.pair)
    cfg.merge_from_dict(args.cfg_options or {})
    drop_pretrained(cfg.model)
    dataset = cfg.train_dataloader.dataset
    if 'ann_file' in dataset:
        found = osp.join(dataset.get('data_root') or '', dataset.ann_file)
        if not osp.isfile(found):
            raise SystemExit(f'{found} does not exist; bring the data there, '
                             'or give --pair.')
    return cfg


def use_pair(cfg: Config, folder: str) -> None:
    """Points a config's datasets at a generated pair."""
    folder = osp.abspath(folder)
    for ann_file, images in SPLITS.values():
        for part in filter(None, (ann_file, images)):
            path = osp.join(folder, part)
            if not (osp.isfile(path) or osp.isdir(path) and os.listdir(path)):
                raise SystemExit(
                    f'{folder} is no generated pair ({part} is missing or '
                    'empty); make one with '
                    'tools/dataset_converters/city2foggy.py.')
    loaders = dict(
        train=cfg.train_dataloader,
        target=cfg.train_cfg.get('target_dataloader'),
        val=cfg.val_dataloader)
    for name, loader in loaders.items():
        if loader is None:
            continue
        ann_file, images = SPLITS[name]
        dataset = loader.dataset
        if dataset.type not in ('CocoDataset', 'TargetDataset'):
            raise SystemExit(f'--pair: the {name} set is a {dataset.type}; '
                             'only a CocoDataset can be replaced.')
        if any(step.get('with_mask') for step in dataset.pipeline):
            raise SystemExit(f'--pair: the {name} set needs masks, which a '
                             'generated pair has not; take a config without '
                             'a mask branch.')
        dataset.update(data_root=folder, data_prefix=dict(img=images))
        dataset.pop('img_suffix', None)
        if ann_file:
            dataset.ann_file = ann_file
    cfg.test_dataloader = cfg.val_dataloader
    cfg.val_evaluator.ann_file = osp.join(folder, SPLITS['val'][0])
    cfg.test_evaluator = cfg.val_evaluator


def drop_pretrained(cfg) -> None:
    """Leaves the initial weights that a model makes itself."""
    if isinstance(cfg, dict):
        init_cfg = cfg.get('init_cfg')
        if isinstance(init_cfg, dict) and init_cfg['type'] == 'Pretrained':
            cfg['init_cfg'] = None
        for value in cfg.values():
            drop_pretrained(value)


def loaders(cfg: Config, **changes) -> dict:
    """The config's training loaders, by domain; shuffled by seed 0.

    Args:
        cfg (Config): The config.
        **changes: Of the loaders' settings (``num_workers``, ...).
    """
    configs = dict(source=cfg.train_dataloader)
    if 'target_dataloader' in cfg.train_cfg:
        configs['target'] = cfg.train_cfg.target_dataloader
    if changes.get('num_workers', 1) == 0:
        changes['persistent_workers'] = False
    with DefaultScope.overwrite_default_scope('mmdet'):
        return {
            domain: Runner.build_dataloader({
                **config,
                **changes
            }, seed=seed)
            for seed, (domain, config) in enumerate(configs.items())
        }


def device() -> torch.device:
    return torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def seconds(action: Callable[[], object]) -> float:
    """How long something takes, the accelerator's share included."""
    synchronize()
    begin = time.perf_counter()
    action()
    synchronize()
    return time.perf_counter() - begin


def synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def interleave(actions: Dict[str, Callable[[], float]],
               repeats: int) -> Dict[str, List[float]]:
    """Calls all in turn, one round to warm up and ``repeats`` that count.

    A machine's mood so hits all alike. Shows progress on stderr.
    """
    results: Dict[str, List[float]] = {name: [] for name in actions}
    for number in range(-1, repeats):
        for name, action in actions.items():
            show(f'round {number + 1} of {repeats}: {name}')
            result = action()
            if number >= 0:
                results[name].append(result)
    show('')
    return results


def show(text: str) -> None:
    """One line of progress, in place of the last; none in a log file."""
    if sys.stderr.isatty():
        print(f'\r{text:60}', end='' if text else '\r', file=sys.stderr)


def ratio(values: Sequence[float], others: Sequence[float]) -> str:
    """Median of the rounds' ratios, and the smallest and largest."""
    ratios = np.array(values) / np.array(others)
    return f'{np.median(ratios):.3f} ({ratios.min():.3f}-{ratios.max():.3f})'


def table(*rows: Sequence) -> str:
    """Markdown; the first row is the header."""
    first, *others = [[str(cell) for cell in row] for row in rows]
    return '\n'.join('| ' + ' | '.join(row) + ' |'
                     for row in (first, ['---'] * len(first), *others))


def machine() -> str:
    """What the figures were measured on."""
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
    else:
        name = f'{processor()}, {torch.get_num_threads()} threads'
    return f'{name}, torch {torch.__version__}'


def processor() -> str:
    try:
        with open('/proc/cpuinfo') as file:
            for line in file:
                if line.startswith('model name'):
                    return line.split(':', 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


class Peak:
    """Bytes that something needs at most beyond what was there before.

    On a GPU the allocator counts them; on a CPU the kernel does (Linux).
    """

    def __init__(self) -> None:
        self.known = torch.cuda.is_available()
        if self.known:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated()
            return
        try:
            # Gives back what malloc keeps, then lets the kernel's high-water
            # mark begin anew.
            ctypes.CDLL('libc.so.6').malloc_trim(0)
            with open('/proc/self/clear_refs', 'w') as file:
                file.write('5')
            self.before = self._status('VmRSS')
            self.known = True
        except OSError:
            pass

    def bytes(self) -> float:
        """NaN where the system does not tell."""
        if not self.known:
            return float('nan')
        if torch.cuda.is_available():
            return torch.cuda.max_memory_allocated() - self.before
        return self._status('VmHWM') - self.before

    @staticmethod
    def _status(key: str) -> int:
        with open('/proc/self/status') as file:
            for line in file:
                if line.startswith(key):
                    return int(line.split()[1]) << 10
        raise OSError(f'no {key} in /proc/self/status')


def write_in_root(path: str) -> str:
    """A path below the repository, its folder made."""
    path = osp.join(ROOT, path)
    os.makedirs(osp.dirname(path), exist_ok=True)
    return path

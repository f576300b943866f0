"""Measures how fast paired loaders are, and whether a loop waits."""

import copy
import time

import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from da_faster.engine.loops.da_loop import PairedIterator

from .inputs import loaders
from .measuring import interleave

WARM_UP = 5
STYLE = 'TargetStyle'


def one_loader(cfg: Config) -> PairedIterator:
    """Puts both sets into one loader, with the batch and workers of both."""
    source = cfg.train_dataloader
    target = cfg.train_cfg.target_dataloader
    both = copy.deepcopy(source)
    both.batch_size = source.batch_size + target.batch_size
    both.num_workers = source.num_workers + target.num_workers
    both.dataset = dict(
        type='ConcatDataset',
        datasets=[source.dataset, target.dataset],
        # The target knows neither classes nor labels.
        ignore_keys=list(source.dataset.get('metainfo', {})),
    )
    with DefaultScope.overwrite_default_scope('mmdet'):
        return PairedIterator(source=Runner.build_dataloader(both, seed=0))


def paired(cfg: Config) -> PairedIterator:
    """Builds the two loaders of the config."""
    return PairedIterator(**loaders(cfg))


def slow_target(cfg: Config, times: int) -> PairedIterator:
    """Builds the two loaders; each target image is loaded several times."""
    cfg = copy.deepcopy(cfg)
    pipeline = cfg.train_cfg.target_dataloader.dataset.pipeline
    pipeline[:1] = [pipeline[0]] * times
    return paired(cfg)


def one_view(cfg: Config) -> PairedIterator:
    """Builds the two loaders with only the first view of the target."""
    cfg = copy.deepcopy(cfg)
    pipeline = cfg.train_cfg.target_dataloader.dataset.pipeline
    views = pipeline.pop()
    pipeline.extend(views[views.branch_field[0]])
    cfg.train_cfg.target_dataloader.collate_fn = dict(type='pseudo_collate')
    return paired(cfg)


def without_style(cfg: Config) -> PairedIterator:
    """Builds the two loaders, without TargetStyle in the source."""
    cfg = copy.deepcopy(cfg)
    dataset = cfg.train_dataloader.dataset
    dataset.pipeline = [t for t in dataset.pipeline if t.type != STYLE]
    return paired(cfg)


def read(
    batches: PairedIterator, count: int, pause: float
) -> tuple[float, float]:
    """Reads batches, after WARM_UP others.

    Args:
        batches (PairedIterator): The loaders.
        count (int): Batches to read.
        pause (float): Seconds to wait after each batch, as for a training
            step.

    Returns:
        tuple[float, float]: Images a second, and the 90th percentile of the
        seconds to wait for a batch.
    """
    for _ in range(WARM_UP):
        next(batches)
        time.sleep(pause)
    waits, images = [], 0
    begin = time.perf_counter()
    for _ in range(count):
        asked = time.perf_counter()
        batch = next(batches)
        waits.append(time.perf_counter() - asked)
        inputs = batch['inputs']  # two views of an image are one
        images += len(inputs['source']) + len(inputs.get('target', ()))
        time.sleep(pause)
    return (
        images / (time.perf_counter() - begin),
        float(np.percentile(waits, 90)),
    )


def compare_loaders(
    cfg: Config, batches: int, pause: float, slow: int, repeats: int
) -> dict[str, list[tuple[float, float]]]:
    """Compares the paired loaders with other loaders of the same images.

    The others are one loader over both sets, or the pair with one view of a
    target image where the config has two; a pair with a slow target; and the
    pair without TargetStyle, where the config has TargetStyle.

    Args:
        cfg (Config): A config with two domains.
        batches (int): Batches to read at full speed.
        pause (float): Seconds of a training step. A second reading, of half
            the batches, waits as long after each batch.
        slow (int): How often the slow target loads each image.
        repeats (int): Rounds that count.

    Returns:
        dict[str, list[tuple]]: By name, for each round, the images a second at
        full speed, and the seconds to wait for a batch (90th percentile)
        beside training steps.
    """
    last = cfg.train_cfg.target_dataloader.dataset.pipeline[-1]
    make = (
        {'one view': one_view}
        if last.type == 'MultiBranch'
        else {'one loader': one_loader}
    )
    make |= {
        'paired': paired,
        f'slow target ({slow}x)': lambda cfg: slow_target(cfg, slow),
    }
    if any(t.type == STYLE for t in cfg.train_dataloader.dataset.pipeline):
        make[f'paired without {STYLE}'] = without_style

    def action(build):

        def run() -> tuple[float, float]:
            fast = read(build(cfg), batches, 0.0)[0]
            stall = read(build(cfg), (batches + 1) // 2, pause)[1]
            return fast, stall

        return run

    return interleave({k: action(b) for k, b in make.items()}, repeats)

"""How fast the paired loaders deliver, and whether the loop waits for them.

    python benchmarks/loading.py configs/da_faster_demo.py

reads batches without training on them, in turn from

  one loader   over the images of both domains, with the workers of both
  paired       the config's two loaders
  slow target  the same, each target image loaded --slow times

each once as fast as it goes (images a second) and once with a pause of --step
seconds after each batch, in which a real loop would train: what is left to
wait for is the stall.
"""
import argparse
import copy
import math
import time
from typing import Tuple

import numpy as np
from common import (interleave, load_config, loaders, machine, make_parser,
                    positive, ratio, table)
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from da_faster.engine.loops.da_loop import PairedIterator

WARM_UP = 5


def one_loader(cfg):
    """Both sets in one loader; batch and workers are those of both."""
    source = cfg.train_dataloader
    target = cfg.train_cfg.target_dataloader
    both = copy.deepcopy(source)
    both.batch_size = source.batch_size + target.batch_size
    both.num_workers = source.num_workers + target.num_workers
    both.dataset = dict(
        type='ConcatDataset',
        datasets=[source.dataset, target.dataset],
        # The target knows neither classes nor labels.
        ignore_keys=list(source.dataset.get('metainfo', {})))
    with DefaultScope.overwrite_default_scope('mmdet'):
        return PairedIterator(source=Runner.build_dataloader(both, seed=0))


def paired(cfg):
    return PairedIterator(**loaders(cfg))


def slow_target(cfg, times: int):
    cfg = copy.deepcopy(cfg)
    pipeline = cfg.train_cfg.target_dataloader.dataset.pipeline
    pipeline[:1] = [pipeline[0]] * times
    return paired(cfg)


def read(batches, count: int, pause: float) -> Tuple[float, float]:
    """Images a second, and seconds waited for a batch (90th percentile)."""
    for _ in range(WARM_UP):
        next(batches)
        time.sleep(pause)
    waits, images = [], 0
    begin = time.perf_counter()
    for _ in range(count):
        asked = time.perf_counter()
        batch = next(batches)
        waits.append(time.perf_counter() - asked)
        images += sum(map(len, batch['inputs'].values()))
        time.sleep(pause)
    return (images / (time.perf_counter() - begin),
            float(np.percentile(waits, 90)))


def pause_seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f'{text} is not 0 or more')
    return number


def main() -> None:
    parser = make_parser(__doc__)
    parser.set_defaults(repeats=3)
    parser.add_argument('--batches', type=positive, default=50)
    parser.add_argument(
        '--step',
        type=pause_seconds,
        default=0.3,
        help='seconds of a training step')
    parser.add_argument('--slow', type=positive, default=3)
    args = parser.parse_args()
    cfg = load_config(args, need_target=True)
    make = {
        'one loader': one_loader,
        'paired': paired,
        f'slow target ({args.slow}x)': lambda cfg: slow_target(cfg, args.slow),
    }

    def action(build):

        def run() -> Tuple[float, float]:
            fast = read(build(cfg), args.batches, 0.)[0]
            stall = read(build(cfg), (args.batches + 1) // 2, args.step)[1]
            return fast, stall

        return run

    results = interleave({k: action(b) for k, b in make.items()},
                         args.repeats)
    rate = {k: [r[0] for r in v] for k, v in results.items()}
    workers = [
        c.num_workers
        for c in (cfg.train_dataloader, cfg.train_cfg.target_dataloader)
    ]
    print(f'{args.config}: {workers[0]} + {workers[1]} workers; {machine()}; '
          f'{args.repeats} rounds, median (least-most)\n')
    print(
        table(('', 'images/s', 'to one loader',
               f'wait beside a step of {args.step} s'), *(
                   (name, f'{np.median(rate[name]):.1f}',
                    ratio(rate[name], rate['one loader']),
                    f'{1000 * np.median([r[1] for r in v]):.1f} ms')
                   for name, v in results.items())))


if __name__ == '__main__':
    main()

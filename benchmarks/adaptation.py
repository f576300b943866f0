"""Does adaptation help? Trains every method with several seeds, makes a table.

    python benchmarks/adaptation.py blood_smears --seeds 0 1 2 --jobs 2

Each run is one `tools/train.py` over `configs/*_PAIR.py`, scored on its LAST
weights. Finished runs are kept and not repeated, interrupted ones resumed.
"""
import argparse
import contextlib
import hashlib
import io
import json
import os
import os.path as osp
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import NamedTuple

import numpy as np
from mmengine.config import Config
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from da_faster.engine.checkpoints.files import write_atomically

# pycocotools prints; silencing it swaps the stdout of all threads.
STDOUT = Lock()
ROOT = osp.dirname(osp.dirname(osp.abspath(__file__)))


class Method(NamedTuple):
    """A row of the table: a config's prefix and what differs from it."""
    config: str
    options: tuple = ()
    label: str = ''


METHODS = {
    'source-only':
    Method('source_only'),
    'source-only-jitter':
    Method('source_only_jitter', label='source-only + colour jitter'),
    'source-only-hsv':
    Method('source_only_hsv', label='source-only + mild colour jitter'),
    'control':
    Method('da_faster', ('model.domain_neck.grad_scale=0',
                         'model.instance_domain_head.grad_scale=0'),
           'control: all three, reversal 0'),
    'image':
    Method('da_faster', ('model.instance_domain_head=None',
                         'model.loss_consistency=None'), 'DA image'),
    'instance':
    Method('da_faster',
           ('model.domain_neck=None', 'model.loss_consistency=None'),
           'DA instance'),
    'both':
    Method('da_faster', ('model.loss_consistency=None', ),
           'DA image + instance'),
    'da':
    Method('da_faster', label='DA image + instance + consistency'),
    'oracle':
    Method('oracle'),
}


class Run(NamedTuple):
    """One training of one method with one seed."""
    pair: str
    method: str
    seed: int
    work_dir: str

    @property
    def config(self) -> str:
        return osp.join(ROOT, 'configs',
                        f'{METHODS[self.method].config}_{self.pair}.py')

    @property
    def mark(self) -> str:
        return osp.join(self.work_dir, 'run.json')

    @property
    def detections(self) -> str:
        return osp.join(self.work_dir, 'detections.bbox.json')


def fingerprint(run: Run) -> str:
    """Changes with the config, the options and the annotation files."""
    cfg = Config.fromfile(run.config)
    source = cfg.train_dataloader.dataset
    digest = hashlib.sha256(
        repr((cfg.pretty_text, METHODS[run.method].options)).encode())
    for path in (osp.join(source.data_root, source.ann_file),
                 cfg.val_evaluator.ann_file):
        with open(path, 'rb') as f:
            digest.update(f.read())
    return digest.hexdigest()


def is_finished(run: Run) -> bool:
    """Whether the run is complete; one of another config or data is refused.

    ``run.json`` is written before the training and again after it.
    """
    current = fingerprint(run)
    known = dict(fingerprint=None, finished=False)
    if osp.isfile(run.mark):
        with open(run.mark) as f:
            known = json.load(f)
    elif not osp.isdir(run.work_dir) or not os.listdir(run.work_dir):
        known['fingerprint'] = current
        write_atomically(json.dumps(known).encode(), run.mark)
    if known['fingerprint'] != current:
        raise SystemExit(
            f'{run.work_dir} holds a run of another config or of other data: '
            'move it away, or give another --out.')
    return known['finished']


def set_finished(run: Run) -> None:
    """The fingerprint stays that of the start, whatever was edited since."""
    with open(run.mark) as f:
        known = json.load(f)
    write_atomically(json.dumps(dict(known, finished=True)).encode(), run.mark)


def train(run: Run) -> None:
    """Trains, and writes the last weights' detections on the target test."""
    os.makedirs(run.work_dir, exist_ok=True)
    log = osp.join(run.work_dir, 'train.log')
    options = (f'randomness.seed={run.seed}',
               f'val_evaluator.outfile_prefix={run.work_dir}/detections')
    command = [
        sys.executable,
        osp.join(ROOT, 'tools/train.py'), run.config, '--work-dir',
        run.work_dir, '--resume', 'auto', '--cfg-options', *options,
        *METHODS[run.method].options
    ]
    # All cores, for when the other runs are over; threads that wait without
    # spinning leave them to the others until then.
    env = dict(os.environ, OMP_WAIT_POLICY='PASSIVE')
    with open(log, 'a') as out:
        code = subprocess.run(
            command, cwd=ROOT, env=env, stdout=out, stderr=out).returncode
    if code or not osp.isfile(run.detections):
        with open(log) as f:
            tail = ''.join(f.readlines()[-15:])
        raise SystemExit(f'{run.method}, seed {run.seed} failed (exit code '
                         f'{code}); end of {log}:\n{tail}')


def evaluate(ann_file: str, detections: str) -> dict:
    """COCO AP and AP50 in percent, mean and by class."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(ann_file)
        with open(detections) as f:
            found = json.load(f)
        # loadRes takes no empty list; an empty COCO scores zero.
        found = truth.loadRes(found) if found else COCO()
        evaluation = COCOeval(truth, found, 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
    # (IoU, recall, class, area = all, detections = 100); -1: no such box.
    precision = evaluation.eval['precision'][..., 0, 2]
    precision = np.where(precision < 0, np.nan, precision)
    names = [c['name'] for c in truth.loadCats(evaluation.params.catIds)]
    by_class = 100 * np.nanmean(precision[0], axis=0)
    return dict(
        AP=100 * np.nanmean(precision),
        AP50=float(np.nanmean(by_class)),
        AP50_by_class=dict(zip(names, by_class.tolist())))


def spread(values: list) -> str:
    """Mean and sample standard deviation."""
    if len(values) == 1:
        return f'{values[0]:.1f}'
    return f'{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}'


def make_table(scores: dict, seeds: list) -> str:
    """A markdown table of ``scores[method][seed]``."""
    names = list(next(iter(scores.values()))[seeds[0]]['AP50_by_class'])

    def mean(method: str) -> float:
        return np.mean([scores[method][s]['AP50'] for s in seeds])

    with_gap = {'source-only', 'oracle'} <= set(scores)
    header = ['method', 'AP50', *(f'AP50 {n}' for n in names), 'AP']
    rows = [header + ['gap closed'] * with_gap]
    rows.append(['---'] * len(rows[0]))
    for method, results in scores.items():
        runs = [results[s] for s in seeds]
        row = [
            METHODS[method].label or method,
            spread([r['AP50'] for r in runs]),
            *(spread([r['AP50_by_class'][n] for r in runs]) for n in names),
            spread([r['AP'] for r in runs])
        ]
        if with_gap:
            low, high = mean('source-only'), mean('oracle')
            row.append(f'{100 * (mean(method) - low) / (high - low):.0f} %')
        rows.append(row)
    return '\n'.join('| ' + ' | '.join(row) + ' |' for row in rows)


def describe(ann_file: str, seeds: list) -> str:
    """What the numbers were measured on."""
    with open(ann_file, 'rb') as f:
        content = f.read()
    data = json.loads(content)
    return (f'Last checkpoint; seeds {", ".join(map(str, seeds))}: mean ± '
            f'standard deviation. Test: {len(data["images"])} images, '
            f'{len(data["annotations"])} boxes, {ann_file}, SHA-256 '
            f'{hashlib.sha256(content).hexdigest()[:16]}...')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('pair', help='the end of the configs\' names, e.g. '
                        'blood_smears or demo')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument(
        '--methods', nargs='+', choices=list(METHODS), help='default: all '
        'that the pair has a config for')
    parser.add_argument(
        '--jobs', type=int, default=1, help='runs at the same time')
    parser.add_argument('--out', default='work_dirs/adaptation')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    os.chdir(ROOT)
    out = osp.abspath(osp.join(args.out, args.pair))
    runs = [
        Run(args.pair, method, seed, osp.join(out, method, f'seed{seed}'))
        for seed in args.seeds for method in args.methods or METHODS
    ]
    if not args.methods:
        runs = [run for run in runs if osp.isfile(run.config)]
    if not runs or not osp.isfile(runs[0].config):
        raise SystemExit(f'no config configs/*_{args.pair}.py found')
    cfg = Config.fromfile(runs[0].config)
    ann_file = cfg.val_evaluator.ann_file

    scores = {run.method: {} for run in runs}
    done = 0

    def finish(run: Run) -> None:
        nonlocal done
        start = time.time()
        if not is_finished(run):
            train(run)
            set_finished(run)
        with STDOUT:
            score = evaluate(ann_file, run.detections)
            scores[run.method][run.seed] = score
            done += 1
            print(
                f'[{done}/{len(runs)}] {run.method}, seed {run.seed}: AP50 '
                f'{score["AP50"]:.1f}, AP {score["AP"]:.1f} '
                f'({time.time() - start:.0f} s)',
                flush=True)

    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(finish, runs))

    table = make_table(scores, args.seeds)
    table += '\n\n' + describe(ann_file, args.seeds)
    with open(osp.join(out, 'table.md'), 'w') as f:
        f.write(table + '\n')
    with open(osp.join(out, 'scores.json'), 'w') as f:
        json.dump(scores, f, indent=1)
    print('\n' + table)


if __name__ == '__main__':
    main()

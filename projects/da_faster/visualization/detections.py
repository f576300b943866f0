"""Detectors side by side on test images, ground truth outlined."""

import contextlib
import io
import json
import os.path as osp
from collections import defaultdict
from collections.abc import Sequence

import mmcv
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

from da_faster.errors import UserError

from .figures import make_figure, save_figure

TRUTH, FOUND, WRONG = 'white', '#2ee66b', '#ff3b30'


def match(detections: list[dict], truth: list[dict]) -> list[bool]:
    """Which detections find an object: same class, IoU of 0.5 or more.

    Args:
        detections (list[dict]): COCO results, best score first; each object
            is found once, by the best of them.
        truth (list[dict]): COCO annotations.
    """
    iou = (
        mask_utils.iou(
            [d['bbox'] for d in detections],
            [t['bbox'] for t in truth],
            [0] * len(truth),
        )
        if detections and truth
        else None
    )
    free = set(range(len(truth)))
    found = []
    for i, detection in enumerate(detections):
        best = max(
            (
                j
                for j in free
                if truth[j]['category_id'] == detection['category_id']
                and iou[i][j] >= 0.5
            ),
            key=lambda j: iou[i][j],
            default=None,
        )
        free.discard(best)
        found.append(best is not None)
    return found


def by_image(path: str) -> dict[int, list[dict]]:
    """The detections of a COCO result file by image id."""
    detections = defaultdict(list)
    with open(path) as f:
        for detection in json.load(f):
            detections[detection['image_id']].append(detection)
    return detections


def draw_panel(
    ax,
    image: np.ndarray,
    detections: list[dict],
    truth: list[dict],
    names: dict,
) -> tuple[int, int]:
    """Draws one image with its boxes; returns objects found, false alarms."""
    ax.imshow(image)
    ax.set_axis_off()
    for t in truth:
        x, y, w, h = t['bbox']
        ax.add_patch(Rectangle((x, y), w, h, fill=False, ec=TRUTH, lw=3))
    found = match(detections, truth)
    for detection, is_found in zip(detections, found):
        x, y, w, h = detection['bbox']
        color = FOUND if is_found else WRONG
        ax.add_patch(Rectangle((x, y), w, h, fill=False, ec=color, lw=1.5))
        ax.text(
            x,
            y,
            f'{names[detection["category_id"]]} {detection["score"]:.2f}',
            fontsize=6,
            va='bottom',
            bbox=dict(fc=color, ec='none', pad=0.6),
        )
    return sum(found), len(found) - sum(found)


def compare(
    ann_file: str,
    img_dir: str,
    results: Sequence[str],
    titles: Sequence[str],
    out: str,
    num: int = 4,
    image_ids: Sequence[int] | None = None,
    score_thr: float = 0.5,
) -> int:
    """Writes a picture: one row an image, one column a result file.

    Args:
        ann_file (str): COCO json of the test images.
        img_dir (str): What its file names are relative to.
        results (Sequence[str]): Detections in COCO's format, as CocoMetric
            writes them with ``outfile_prefix``.
        titles (Sequence[str]): One for each of them.
        out (str): The picture's path.
        num (int): Images, taken evenly over the test set.
        image_ids (Sequence[int], optional): These images instead.
        score_thr (float): Detections of a lower score are left out.

    Returns:
        int: Number of images in the picture.

    Raises:
        UserError: If a file is missing, or a title.
    """
    for path in (ann_file, *results):
        if not osp.isfile(path):
            raise UserError(f'{path} does not exist; check the path.')
    if len(titles) != len(results):
        raise UserError(
            f'{len(titles)} --titles for {len(results)} result '
            'files; give one each.'
        )
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO(ann_file)
        runs = [by_image(path) for path in results]
    except (AssertionError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f'{ann_file} is not COCO annotations, or one of '
            f'{", ".join(results)} not COCO detections ({error!r}).'
        ) from error
    everything = sorted(truth.getImgIds())
    if num < 1:
        raise UserError(f'num must be at least 1, got {num}.')
    unknown = sorted(set(image_ids or ()).difference(everything))
    if unknown or not everything:
        raise UserError(
            f'{ann_file} has no image {unknown[0] if unknown else "at all"}.'
        )
    if not image_ids:
        num = min(num, len(everything))
        step = np.linspace(0, len(everything) - 1, num + 2)[1:-1]
        image_ids = [everything[int(i)] for i in step]
    names = {c['id']: c['name'] for c in truth.loadCats(truth.getCatIds())}
    images = truth.loadImgs(image_ids)
    ratio = max(i['height'] / i['width'] for i in images)
    size = 6 * len(runs), (6 * ratio + 0.35) * len(images) + 0.5
    fig, axes = make_figure(len(images), len(runs), size)
    for row, info in zip(axes, images):
        path = osp.join(img_dir, info['file_name'])
        if not osp.isfile(path):
            raise UserError(f'{path} does not exist; check IMG_DIR.')
        image = mmcv.imread(path, channel_order='rgb')
        boxes = truth.imgToAnns[info['id']]
        for ax, run, title in zip(row, runs, titles):
            detections = sorted(
                (d for d in run[info['id']] if d['score'] >= score_thr),
                key=lambda d: -d['score'],
            )
            found, wrong = draw_panel(ax, image, detections, boxes, names)
            ax.set_title(
                f'{title}: {found} of {len(boxes)} found, {wrong} false',
                fontsize=11,
            )
    fig.legend(
        handles=[
            Line2D([], [], color=TRUTH, lw=3, label='ground truth'),
            Line2D([], [], color=FOUND, label='found'),
            Line2D([], [], color=WRONG, label='false alarm'),
        ],
        loc='outside lower center',
        ncols=3,
        facecolor='#b0b0b0',
    )
    save_figure(fig, out)
    return len(images)

"""Detectors side by side on test images: found, missed, false alarms."""

import contextlib
import io
import json
import math
import os.path as osp
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import mmcv
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

from da_faster.errors import UserError

from .figures import make_figure, save_figure

FOUND, MISSED, WRONG = '#2ee66b', '#ffb000', '#ff3b30'


def match(detections: list[dict], truth: list[dict]) -> list[int | None]:
    """The object that each detection finds: same class, IoU of 0.5 or more.

    Args:
        detections (list[dict]): COCO results, best score first; each object
            is found once, by the best of them.
        truth (list[dict]): COCO annotations.

    Returns:
        list: For each detection, an index into ``truth``, or None.
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
        found.append(best)
    return found


def by_image(path: str) -> dict[int, list[dict]]:
    """The detections of a COCO result file by image id.

    Raises:
        UserError: If it holds anything else.
    """
    detections = defaultdict(list)
    try:
        with open(path) as f:
            content = json.load(f)
        if not isinstance(content, list):
            raise TypeError(f'a {type(content).__name__} in place of a list')
        for detection in content:
            detections[detection['image_id']].append(detection)
            numbers = [*detection['bbox'], detection['score']]
            if len(numbers) != 5 or not all(map(is_number, numbers)):
                raise ValueError(f'bbox and score {numbers}')
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f'{path} does not hold COCO detections, as CocoMetric writes them '
            f'with outfile_prefix ({type(error).__name__}: {error}): make '
            'them again.'
        ) from error
    return detections


def is_number(value: object) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def assess(detections: list[dict], annotations: list[dict]) -> 'Outcome':
    """Matches the detections of an image.

    A crowd is neither found nor missed. A detection that lies in one, by half
    of its area or more, is no false alarm.

    Args:
        detections (list[dict]): COCO results, best score first.
        annotations (list[dict]): COCO annotations, crowds among them.
    """
    truth = [a for a in annotations if not a.get('iscrowd')]
    crowds = [a['bbox'] for a in annotations if a.get('iscrowd')]
    matched = match(detections, truth)
    if crowds and detections:
        # With a crowd, the share of the detection that lies in it.
        boxes = [d['bbox'] for d in detections]
        inside = mask_utils.iou(boxes, crowds, [1] * len(crowds)).max(axis=1)
        counts = [
            found is not None or share < 0.5
            for found, share in zip(matched, inside)
        ]
        detections = [d for d, c in zip(detections, counts) if c]
        matched = [m for m, c in zip(matched, counts) if c]
    return Outcome(detections, truth, matched)


class Outcome(NamedTuple):
    """What a detector says of an image.

    Attributes:
        detections: COCO results, best score first.
        truth: COCO annotations.
        matched: What :func:`match` says of them.
    """

    detections: list[dict]
    truth: list[dict]
    matched: list[int | None]

    @property
    def found(self) -> int:
        """Objects found."""
        return len(self.matched) - self.false

    @property
    def false(self) -> int:
        """False alarms."""
        return self.matched.count(None)

    def above(self, score: float) -> 'Outcome':
        """The outcome without the detections of a lower score."""
        num = sum(d['score'] >= score for d in self.detections)
        return Outcome(self.detections[:num], self.truth, self.matched[:num])

    def __str__(self) -> str:
        return (
            f'{self.found} of {len(self.truth)} found, {self.false} false '
            f'alarm{"" if self.false == 1 else "s"}'
        )


def fair_score(outcomes: Sequence[Outcome]) -> float:
    """The least score with at most one false alarm an image, in the mean."""
    scores = sorted(
        (
            d['score']
            for outcome in outcomes
            for d, found in zip(outcome.detections, outcome.matched)
            if found is None
        ),
        reverse=True,
    )
    if len(scores) <= len(outcomes):
        return 0.0
    return float(np.nextafter(scores[len(outcomes)], np.inf))


def total(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of all images together."""
    return Outcome(
        *(
            [item for part in parts for item in part]
            for parts in zip(*outcomes)
        )
    )


def check_detections(
    path: str,
    run: dict[int, list[dict]],
    image_ids: Sequence[int],
    names: dict,
    ann_file: str,
) -> None:
    """Raises a UserError if detections are of other annotations."""
    for image_id, detections in run.items():
        for detection in detections:
            category = detection.get('category_id')
            if image_id not in image_ids or category not in names:
                raise UserError(
                    f'{path} has a detection of image {image_id}, category '
                    f'{category}, which does not fit {ann_file}: give the '
                    'annotations it was made for.'
                )


def draw_panel(ax, image: np.ndarray, outcome: Outcome, names: dict) -> None:
    """Draws one image with its boxes."""

    def draw(item: dict, color: str, **options) -> None:
        x, y, w, h = item['bbox']
        ax.add_patch(Rectangle((x, y), w, h, fc='none', ec=color, **options))
        # Above the box; inside where it would leave the image.
        inside = y < image.shape[1] / 40
        ax.text(
            max(x, 0),
            max(y, 0),
            names[item['category_id']],
            fontsize=6,
            va='top' if inside else 'bottom',
            clip_on=True,
            bbox=dict(fc=color, ec='none', pad=0.6, clip_on=True),
        )

    # A box begins at the edge of a pixel, not at its middle.
    ax.imshow(image, extent=(0, image.shape[1], image.shape[0], 0))
    ax.set_axis_off()
    ax.autoscale(False)  # boxes may reach beyond the image
    for number, item in enumerate(outcome.truth):
        if number not in outcome.matched:
            draw(item, MISSED, lw=2, ls=(0, (3, 2)))
    for item, found in zip(outcome.detections, outcome.matched):
        if found is None:
            x, y, w, h = item['bbox']
            for ends in ((y, y + h), (y + h, y)):
                ax.plot((x, x + w), ends, color=WRONG, lw=1)
            draw(item, WRONG, lw=1.5)
        else:
            draw(item, FOUND, lw=3)
    ax.set_title(str(outcome), fontsize=11)


def difference(one: Outcome, other: Outcome) -> int:
    """Objects of an image that one of two detectors finds, and one alone.

    It does not ask which: a loss counts as much as a gain.
    """
    found, also = (
        {i for i in outcome.matched if i is not None}
        for outcome in (one, other)
    )
    return len(found ^ also)


def compare(
    ann_file: str,
    img_dir: str,
    results: Sequence[str],
    titles: Sequence[str],
    out: str,
    num: int = 4,
    image_ids: Sequence[int] | None = None,
    score_thr: float | None = None,
) -> int:
    """Writes a picture: one row an image, one column a result file.

    Above each column stands what holds for the whole test set.

    Args:
        ann_file (str): COCO json of the test images.
        img_dir (str): What its file names are relative to.
        results (Sequence[str]): Detections in COCO's format, as CocoMetric
            writes them with ``outfile_prefix``.
        titles (Sequence[str]): One for each of them.
        out (str): The picture's path.
        num (int): Images: those where the first and the last result file
            differ most, see :func:`difference`. Of a single result file they
            are taken evenly over the test set.
        image_ids (Sequence[int], optional): These images instead.
        score_thr (float, optional): Detections of a lower score are left out.
            By default each result file has its own, above which it has as many
            false alarms as there are images: a score of 0.5 means more to one
            detector than to another.

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
    except (AssertionError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f'{ann_file} is not COCO annotations ({error!r}).'
        ) from error
    runs = [by_image(path) for path in results]
    everything = sorted(truth.getImgIds())
    names = {c['id']: c['name'] for c in truth.loadCats(truth.getCatIds())}
    for path, run in zip(results, runs):
        check_detections(path, run, everything, names, ann_file)
    if num < 1:
        raise UserError(f'num must be at least 1, got {num}.')
    unknown = sorted(set(image_ids or ()).difference(everything))
    if unknown or not everything:
        raise UserError(
            f'{ann_file} has no image {unknown[0] if unknown else "at all"}.'
        )
    outcomes = []
    for run in runs:
        outcomes.append(
            {
                i: assess(
                    sorted(run[i], key=lambda d: -d['score']),
                    truth.imgToAnns[i],
                )
                for i in everything
            }
        )
        least = score_thr
        if least is None:
            least = fair_score(list(outcomes[-1].values()))
        for i, outcome in outcomes[-1].items():
            outcomes[-1][i] = outcome.above(least)
    chosen = not image_ids and len(runs) > 1
    if chosen:
        first, last = outcomes[0], outcomes[-1]
        image_ids = sorted(
            everything, key=lambda i: -difference(first[i], last[i])
        )[:num]
    elif not image_ids:
        num = min(num, len(everything))
        places = np.linspace(0, len(everything) - 1, num + 2)[1:-1]
        image_ids = [everything[int(i)] for i in places]
    images = truth.loadImgs(image_ids)
    ratio = max(i['height'] / i['width'] for i in images)
    size = 6 * len(runs), (6 * ratio + 0.35) * len(images) + 1.7
    fig, axes = make_figure(len(images), len(runs), size)
    for row, info in zip(axes, images):
        path = osp.join(img_dir, info['file_name'])
        if not osp.isfile(path):
            raise UserError(f'{path} does not exist; check IMG_DIR.')
        try:
            image = mmcv.imread(path, channel_order='rgb')
        except (OSError, AttributeError, ValueError) as error:
            raise UserError(f'{path} is no image: get it again.') from error
        for ax, outcome in zip(row, outcomes):
            draw_panel(ax, image, outcome[info['id']], names)
    for ax, title, outcome in zip(axes[0], titles, outcomes):
        summary = total(list(outcome.values()))
        ax.set_title(
            f'{title.upper()}\nall {len(everything)} images: {summary}\n\n'
            f'{ax.get_title()}',
            fontsize=12,
        )
    fig.legend(
        handles=[
            Line2D([], [], color=FOUND, lw=3, label='found'),
            Line2D([], [], color=MISSED, lw=2, ls='--', label='missed'),
            Line2D(
                [],
                [],
                color=WRONG,
                lw=1.5,
                marker='x',
                ms=9,
                label='false alarm',
            ),
        ],
        title='the images where the two differ most' if chosen else None,
        loc='outside lower center',
        ncols=3,
        facecolor='#b0b0b0',
    )
    save_figure(fig, out)
    return len(images)

"""Detectors side by side on test images: found, missed, false alarms."""

import os.path as osp
from collections.abc import Sequence

import mmcv
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from da_faster.coco_files import read_annotations, read_detections
from da_faster.errors import UserError

from .figures import draw_box, make_figure, save_figure, show_image
from .outcomes import (
    Outcome,
    assess_images,
    check_detections,
    difference,
    fair_score,
    total,
)

FOUND, MISSED, WRONG = '#2ee66b', '#ffb000', '#ff3b30'


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
    """Writes a picture with a row for each image, a column for each detector.

    The title of a column sums up the whole test set.

    Args:
        ann_file (str): COCO json of the test images.
        img_dir (str): The folder that its file names are in.
        results (Sequence[str]): A file of detections for each detector, as
            CocoMetric writes it with ``outfile_prefix``.
        titles (Sequence[str]): A title for each detector.
        out (str): The path of the picture.
        num (int): Number of images, see :func:`choose_images`.
        image_ids (Sequence[int], optional): Images to show instead.
        score_thr (float, optional): Lowest score of a detection. By default
            each detector has its own, above which it has as many false alarms
            as there are images: a score of 0.5 means more to one detector than
            to another.

    Returns:
        int: Number of images in the picture.

    Raises:
        UserError: If a file is missing or broken, or an argument is wrong.
    """
    for path in (ann_file, *results):
        if not osp.isfile(path):
            raise UserError(f'{path} does not exist; check the path.')
    if len(titles) != len(results):
        raise UserError(
            f'{len(titles)} --titles for {len(results)} result '
            'files; give one each.'
        )
    truth = read_annotations(ann_file)
    runs = [read_detections(path) for path in results]
    names = {c['id']: c['name'] for c in truth.loadCats(truth.getCatIds())}
    everything = sorted(truth.getImgIds())
    for path, run in zip(results, runs):
        check_detections(path, run, everything, names, ann_file)
    if num < 1:
        raise UserError(f'num must be at least 1, got {num}.')
    unknown = sorted(set(image_ids or ()).difference(everything))
    if unknown or not everything:
        raise UserError(
            f'{ann_file} has no image {unknown[0] if unknown else "at all"}.'
        )
    annotations = {i: truth.imgToAnns[i] for i in everything}
    outcomes = [assess_images(run, annotations) for run in runs]
    for outcome in outcomes:
        least = score_thr
        if least is None:
            least = fair_score(list(outcome.values()))
        outcome.update({i: o.above(least) for i, o in outcome.items()})
    chosen = image_ids or choose_images(outcomes, num)
    infos = truth.loadImgs(chosen)
    ratio = max(i['height'] / i['width'] for i in infos)
    size = 6 * len(runs), (6 * ratio + 0.35) * len(infos) + 1.7
    figure, axes = make_figure(len(infos), len(runs), size)
    for row, info in zip(axes, infos):
        image = read_image(osp.join(img_dir, info['file_name']))
        for ax, outcome in zip(row, outcomes):
            draw_panel(ax, image, outcome[info['id']], names)
    for ax, title, outcome in zip(axes[0], titles, outcomes):
        summary = total(list(outcome.values()))
        ax.set_title(
            f'{title.upper()}\nall {len(everything)} images: {summary}\n\n'
            f'{ax.get_title()}',
            fontsize=12,
        )
    most = 'the images where the two differ most'
    by_difference = not image_ids and len(runs) > 1
    draw_legend(figure, most if by_difference else None)
    save_figure(figure, out)
    return len(infos)


def choose_images(
    outcomes: Sequence[dict[int, Outcome]], num: int
) -> list[int]:
    """Chooses images to show.

    Args:
        outcomes (Sequence[dict]): For each detector, outcomes by image id.
        num (int): Number of images.

    Returns:
        list[int]: The images where the first and the last detector differ
        most, see :func:`difference`. For a single detector, images taken
        evenly over the test set.
    """
    first, last = outcomes[0], outcomes[-1]
    if len(outcomes) > 1:
        return sorted(first, key=lambda i: -difference(first[i], last[i]))[
            :num
        ]
    every = list(first)
    indices = np.linspace(0, len(every) - 1, min(num, len(every)) + 2)[1:-1]
    return [every[int(index)] for index in indices]


def read_image(path: str) -> np.ndarray:
    """Reads an image, (H, W, 3), RGB.

    Raises:
        UserError: If the file is missing or no image.
    """
    if not osp.isfile(path):
        raise UserError(f'{path} does not exist; check IMG_DIR.')
    try:
        return mmcv.imread(path, channel_order='rgb')
    except (OSError, AttributeError, ValueError) as error:
        raise UserError(f'{path} is no image: get it again.') from error


def draw_panel(
    ax: Axes, image: np.ndarray, outcome: Outcome, names: dict[int, str]
) -> None:
    """Draws one image with the boxes of a detector.

    Args:
        ax (Axes): Where to draw.
        image (ndarray): (H, W, 3), RGB, uint8.
        outcome (Outcome): The outcome of the image.
        names (dict[int, str]): Class names by category id.
    """

    def draw(item: dict, colour: str, **options) -> None:
        name = names[item['category_id']]
        draw_box(ax, item['bbox'], name, colour, **options)

    show_image(ax, image)
    for number, item in enumerate(outcome.truth):
        if number not in outcome.matched:
            draw(item, MISSED, lw=2, ls=(0, (3, 2)))
    for item, found in zip(outcome.detections, outcome.matched):
        if found is None:
            draw(item, WRONG, lw=1.5, crossed=True)
        else:
            draw(item, FOUND, lw=3)
    ax.set_title(str(outcome), fontsize=11)


def draw_legend(figure: Figure, title: str | None) -> None:
    """Explains the colours below the pictures."""
    line = dict(color=WRONG, lw=1.5, marker='x', ms=9)
    figure.legend(
        handles=[
            Line2D([], [], color=FOUND, lw=3, label='found'),
            Line2D([], [], color=MISSED, lw=2, ls='--', label='missed'),
            Line2D([], [], **line, label='false alarm'),
        ],
        title=title,
        loc='outside lower center',
        ncols=3,
        facecolor='#b0b0b0',
    )

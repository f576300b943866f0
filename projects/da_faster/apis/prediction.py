"""Looks at images and videos with one detector or several."""

import json
import os.path as osp
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import cv2
import mmcv
import numpy as np
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData
from torch import nn

from da_faster.engine.checkpoints.files import write_atomically
from da_faster.errors import UserError
from da_faster.progress import progress

from .coco_results import coco_content
from .config import need_folder
from .detectors import detect, images_below, load_detector, read_any_config
from .score_kinds import score_bounds, scores_are_sigmoids

VIDEOS = ('.mp4', '.avi', '.mov', '.mkv', '.webm')
GAP = 8  # pixels between two pictures


class Picture(NamedTuple):
    """An image to look at.

    Attributes:
        name (str): Where its drawing goes, relative to the output.
        image (str or ndarray): A file, or a frame (H, W, 3), BGR.
        video (str): The video that it is of, or ''.
        rate (float): The video's frames a second.
    """

    name: str
    image: str | np.ndarray
    video: str = ''
    rate: float = 0.0


def find(inputs: Sequence[str]) -> tuple[list[Picture], list[str]]:
    """The image files and videos that are meant.

    Args:
        inputs (Sequence[str]): Images, folders, globs, videos.

    Returns:
        tuple: Pictures of image files, and paths of videos.

    Raises:
        UserError: If one of them is nothing of that kind.
    """
    pictures, videos = [], []
    for given in inputs:
        if osp.isdir(given):
            parent = osp.dirname(osp.abspath(given))
            pictures += [
                Picture(osp.relpath(osp.abspath(path), parent), path)
                for path in images_below(given)
            ]
            continue
        paths = [given]
        if has_magic(given) and not osp.exists(given):
            paths = sorted(filter(osp.isfile, glob(given, recursive=True)))
        if not paths or not osp.isfile(paths[0]):
            raise UserError(f'{given} does not exist; check the path.')
        for path in paths:
            if path.lower().endswith(VIDEOS):
                videos.append(path)
            else:
                pictures.append(Picture(osp.basename(path), path))
    names = [p.name for p in pictures] + [drawn_video(v) for v in videos]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UserError(
            f'two of the inputs are drawn as {min(twice)}: give the folder '
            'that holds them all.'
        )
    return pictures, videos


def drawn_video(path: str) -> str:
    """The name of a video that is drawn on."""
    return f'{Path(path).stem}.mp4'


def frames(path: str) -> Iterator[Picture]:
    """The frames of a video."""
    video = mmcv.VideoReader(path)
    for number, frame in enumerate(video):
        if frame is None:
            return
        name = f'{osp.basename(path)}/{number:06d}.jpg'
        yield Picture(name, frame, path, video.fps)


def count_frames(path: str) -> int:
    """How many a video has. Raises a UserError where it has none."""
    if number := max(len(mmcv.VideoReader(path)), 0):
        return number
    raise UserError(
        f'{path} is no video that OpenCV can read: convert it, or take it out.'
    )


class Drawer:
    """Draws what each detector finds, side by side.

    Args:
        classes (Sequence): Of each detector the names of its classes.
        titles (Sequence[str]): One for each, or none for a single one.
        thresholds (Sequence[float]): Lowest score that is drawn, of each.
    """

    def __init__(self, classes, titles, thresholds) -> None:
        self.titles = titles
        self.thresholds = thresholds
        self.visualizers = []
        for number, names in enumerate(classes):
            visualizer = DetLocalVisualizer(name=f'predict{number}_{id(self)}')
            visualizer.dataset_meta = dict(classes=names, palette='random')
            self.visualizers.append(visualizer)

    def draw(self, image: np.ndarray, found: Sequence[InstanceData]):
        """(H, W, 3), RGB.

        Args:
            image (ndarray): (H, W, 3), RGB.
            found (Sequence[InstanceData]): By detector.
        """
        drawn = []
        for visualizer, threshold, instances, title in zip(
            self.visualizers, self.thresholds, found, self.titles
        ):
            sample = DetDataSample(pred_instances=instances)
            visualizer.add_datasample(
                '', image, sample, draw_gt=False, pred_score_thr=threshold
            )
            picture = visualizer.get_image()
            drawn.append(with_title(picture, title) if title else picture)
        gap = np.full((drawn[0].shape[0], GAP, 3), 255, np.uint8)
        parts = [part for picture in drawn for part in (gap, picture)]
        return np.concatenate(parts[1:], axis=1)


def with_title(picture: np.ndarray, title: str) -> np.ndarray:
    """The picture below a line of text."""
    band = np.full((28, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(
        band, title, (4, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1,
        cv2.LINE_AA,
    )  # fmt: skip
    return np.concatenate([band, picture])


class Output:
    """Writes drawn images, and drawn frames into one video each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer: cv2.VideoWriter | None = None
        self.video = ''

    def add(self, picture: Picture, drawn: np.ndarray) -> None:
        bgr = np.ascontiguousarray(drawn[..., ::-1])
        if not picture.video:
            mmcv.imwrite(bgr, str(self.folder / picture.name))
            return
        if picture.video != self.video:
            self.close()
            self.video = picture.video
            path = self.folder / drawn_video(picture.video)
            path.parent.mkdir(parents=True, exist_ok=True)
            size = bgr.shape[1], bgr.shape[0]
            code = cv2.VideoWriter_fourcc(*'mp4v')
            self.writer = cv2.VideoWriter(str(path), code, picture.rate, size)
        self.writer.write(bgr)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.release()
            self.writer = None


def predict(
    detectors: Sequence[tuple[str, str]],
    inputs: Sequence[str],
    out: str,
    score_thr: float | None = None,
    titles: Sequence[str] | None = None,
    student: bool = False,
    draw: bool = True,
    force: bool = False,
    trust_checkpoint: bool = False,
) -> list[Path]:
    """Detects, draws and writes COCO files, as ``tools/predict.py``.

    Args:
        detectors (Sequence[tuple[str, str]]): Config and checkpoint of each.
        inputs (Sequence[str]): Images, folders, globs, videos.
        out (str): A folder for ``predictions.json`` (of a second detector
            ``predictions_2.json``, ...) and ``drawn/``.
        score_thr (float, optional): Lowest score that is drawn. Default: 0.5,
            of sigmoid scores 0.4. The COCO files hold all that a detector
            gives.
        titles (Sequence[str], optional): Of several detectors.
        student (bool): Of a MeanTeacher, the student.
        draw (bool): Whether to draw.
        force (bool): Write into a folder that has predictions.
        trust_checkpoint (bool): Load checkpoints that may run code.

    Returns:
        list[Path]: The COCO files.

    Raises:
        UserError: If something given cannot be used.
    """
    folder = Path(out)
    if (folder / 'predictions.json').exists() and not force:
        raise UserError(f'{out} has predictions; give --force, or another.')
    if score_thr is not None and not 0 <= score_thr <= 1:
        raise UserError(f'--score-thr must lie in [0, 1], got {score_thr}.')
    if titles and len(titles) != len(detectors):
        raise UserError(
            f'{len(titles)} --titles for {len(detectors)} detectors; give one '
            'each.'
        )
    pictures, videos = find(inputs)
    need_folder(out, '--out')
    cfgs = [read_any_config(config) for config, _ in detectors]
    models = [
        load_detector(cfg, checkpoint, trust_checkpoint, student)
        for cfg, (_, checkpoint) in zip(cfgs, detectors)
    ]
    classes = [model.dataset_meta['classes'] for model in models]
    if not titles:
        alone = len(detectors) == 1
        titles = ['' if alone else short(path) for _, path in detectors]
    thresholds = [
        score_bounds(scores_are_sigmoids(cfg.model))[0]
        if score_thr is None
        else score_thr
        for cfg in cfgs
    ]
    drawer = Drawer(classes, titles, thresholds) if draw else None
    output = Output(folder / 'drawn')
    total = len(pictures) + sum(map(count_frames, videos))
    everything = chain(pictures, *map(frames, videos))
    seen, found = [], [[] for _ in models]
    try:
        for picture in progress(everything, total, 'images'):
            seen.append(look(picture, models, found, drawer, output))
    finally:
        output.close()
    written = []
    for number, (names, detections) in enumerate(zip(classes, found), 1):
        config, checkpoint = detectors[number - 1]
        content = coco_content(
            seen, detections, names, dict(config=config, checkpoint=checkpoint)
        )
        end = f'_{number}' if number > 1 else ''
        path = folder / f'predictions{end}.json'
        write_atomically(json.dumps(content).encode(), str(path))
        written.append(path)
    return written


def look(
    picture: Picture,
    models: Sequence[nn.Module],
    found: list[list[InstanceData]],
    drawer: Drawer | None,
    output: Output,
) -> tuple[str, tuple[int, int]]:
    """Adds the detections of an image; its name, and (height, width)."""
    results = [detect(m, picture.image, picture.name) for m in models]
    for detections, result in zip(found, results):
        detections.append(result)
    image = picture.image
    if isinstance(image, str):
        image = mmcv.imread(image)
    if drawer:
        output.add(picture, drawer.draw(image[..., ::-1], results))
    return picture.name, image.shape[:2]


def short(checkpoint: str) -> str:
    """The last three parts of a path."""
    return '/'.join(Path(checkpoint).parts[-3:])

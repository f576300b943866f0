"""Detects on images and videos with one detector or several."""

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import cv2
import mmcv
import numpy as np
from matplotlib.font_manager import findfont
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData
from PIL import Image, ImageDraw, ImageFont
from torch import nn

from da_faster.coco_files import coco_content
from da_faster.detectors import Detector, detect
from da_faster.errors import UserError
from da_faster.files import write_atomically
from da_faster.progress import progress

from .output_paths import make_folder, make_output_folder
from .pictures import (
    Picture,
    check_images,
    count_frames,
    drawn_video,
    find_pictures,
    frames,
)

GAP = 8  # pixels between two pictures
BAND = 28  # pixels above a picture, for its title


class Drawer:
    """Draws the detections of several detectors side by side.

    Args:
        classes (Sequence): Names of the classes, by detector.
        titles (Sequence[str]): Titles of the detectors; '' for no title.
        thresholds (Sequence[float]): Lowest drawn score, by detector.
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
        """Draws the detections of one image.

        Args:
            image (ndarray): (H, W, 3), RGB.
            found (Sequence[InstanceData]): Detections, by detector.

        Returns:
            ndarray: A picture, (H', W', 3), RGB.
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
    """Adds a title above a picture, in letters as large as fit."""
    band = Image.new('RGB', (picture.shape[1], BAND), 'white')
    for size in range(16, 7, -1):
        # Matplotlib's font has more letters than OpenCV's.
        font = ImageFont.truetype(findfont('DejaVu Sans'), size)
        if font.getlength(title) <= band.width - 8:
            break
    ImageDraw.Draw(band).text((4, BAND / 2), title, 'black', font, anchor='lm')
    return np.concatenate([np.asarray(band), picture])


class Output:
    """Writes drawn images, and drawn frames into one video each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer: cv2.VideoWriter | None = None
        self.video = ''

    def add(self, picture: Picture, drawn: np.ndarray) -> None:
        """Writes a drawn image, (H, W, 3), RGB, or adds it to its video."""
        bgr = np.ascontiguousarray(drawn[..., ::-1])
        if not picture.video:
            path = str(self.folder / picture.name)
            if not cv2.haveImageWriter(path):  # .jfif, or no suffix at all
                path += '.png'
            mmcv.imwrite(bgr, path)
            return
        if picture.video != self.video:
            self.close()
            self.video = picture.video
            path = self.folder / drawn_video(picture.video)
            path.parent.mkdir(parents=True, exist_ok=True)
            size = bgr.shape[1], bgr.shape[0]
            code = cv2.VideoWriter_fourcc(*'mp4v')
            self.writer = cv2.VideoWriter(str(path), code, picture.rate, size)
            if not self.writer.isOpened():
                raise UserError(
                    f'{path} cannot be written by OpenCV, with '
                    f'{picture.rate} frames a second: give --no-draw, or the '
                    'frames as images.'
                )
        self.writer.write(bgr)

    def close(self) -> None:
        """Ends the current video."""
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
    """Detects on images, draws the detections and writes COCO files.

    Args:
        detectors (Sequence[tuple[str, str]]): Config and checkpoint of each
            detector.
        inputs (Sequence[str]): Images, folders, globs, videos.
        out (str): The folder for ``predictions.json``, for
            ``predictions_2.json`` of a second detector, ..., and for
            ``drawn/``.
        score_thr (float, optional): Lowest drawn score. Defaults to 0.5, for
            sigmoid scores to 0.4. The COCO files hold all detections.
        titles (Sequence[str], optional): Titles of the detectors in the
            pictures. Defaults to the names of the checkpoints.
        student (bool): Whether to take the student of a MeanTeacher, not its
            teacher.
        draw (bool): Whether to draw the detections.
        force (bool): Whether to write into a folder that has predictions.
        trust_checkpoint (bool): Load checkpoints that may run code.

    Returns:
        list[Path]: Paths of the COCO files.

    Raises:
        UserError: If an input, a detector or the folder cannot be used.
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
    pictures, videos = find_pictures(inputs)
    # A given folder may hold the drawn images of an earlier call.
    pictures = [p for p in pictures if not is_below(p.image, folder / 'drawn')]
    make_folder(out, '--out')
    results = [
        folder / f'predictions{f"_{number}" if number > 1 else ""}.json'
        for number in range(1, len(detectors) + 1)
    ]
    for path in results:
        make_output_folder(str(path), '--out')
    if (folder / 'drawn').is_file():
        raise UserError(f'{folder / "drawn"} is a file: give another --out.')
    check_images(pictures)
    read = [
        Detector.read(config, checkpoint, trust_checkpoint)
        for config, checkpoint in detectors
    ]
    models = [detector.open(student) for detector in read]
    classes = [model.dataset_meta['classes'] for model in models]
    if not titles:
        alone = len(detectors) == 1
        titles = ['' if alone else short(path) for _, path in detectors]
    thresholds = [
        detector.score_bounds[0] if score_thr is None else score_thr
        for detector in read
    ]
    drawer = Drawer(classes, titles, thresholds) if draw else None
    output = Output(folder / 'drawn')
    total = len(pictures) + sum(map(count_frames, videos))
    everything = chain(pictures, *map(frames, videos))
    seen, found = [], [[] for _ in models]
    try:
        for picture in progress(everything, total, 'images'):
            seen.append(detect_picture(picture, models, found, drawer, output))
    finally:
        output.close()
    for path, names, detections, (config, checkpoint) in zip(
        results, classes, found, detectors
    ):
        content = coco_content(
            seen, detections, names, dict(config=config, checkpoint=checkpoint)
        )
        write_atomically(json.dumps(content).encode(), str(path))
    return results


def detect_picture(
    picture: Picture,
    models: Sequence[nn.Module],
    found: list[list[InstanceData]],
    drawer: Drawer | None,
    output: Output,
) -> tuple[str, tuple[int, int]]:
    """Adds the detections of an image to ``found``, and draws them.

    Returns:
        tuple[str, tuple[int, int]]: Name of the image, and (height, width).
    """
    results = [detect(m, picture.image, picture.name) for m in models]
    for detections, result in zip(found, results):
        detections.append(result)
    image = picture.image
    if isinstance(image, str):
        image = mmcv.imread(image)
    if drawer:
        output.add(picture, drawer.draw(image[..., ::-1], results))
    return picture.name, image.shape[:2]


def is_below(path: str, folder: Path) -> bool:
    """Whether a file is inside a folder, at any depth."""
    return folder.resolve() in Path(path).resolve().parents


def short(checkpoint: str) -> str:
    """Returns the last three parts of a path."""
    return '/'.join(Path(checkpoint).parts[-3:])

"""Finds and reads the images and videos to detect on."""

import os.path as osp
from collections.abc import Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import NamedTuple

import cv2
import mmcv
import numpy as np

from da_faster.datasets.target_dataset import images_below
from da_faster.errors import UserError
from da_faster.progress import progress

VIDEOS = ('.mp4', '.avi', '.mov', '.mkv', '.webm')


class Picture(NamedTuple):
    """An image to detect on.

    Attributes:
        name (str): Path of the drawn image, relative to the output.
        image (str or ndarray): An image file, or a frame (H, W, 3), BGR.
        video (str): Path of the frame's video; '' for an image file.
        rate (float): Frames a second of the video.
    """

    name: str
    image: str | np.ndarray
    video: str = ''
    rate: float = 0.0


def find_pictures(inputs: Sequence[str]) -> tuple[list[Picture], list[str]]:
    """Finds image files and videos.

    Args:
        inputs (Sequence[str]): Images, folders, globs, videos.

    Returns:
        tuple: Pictures of image files, and paths of videos.

    Raises:
        UserError: If an input does not exist, or two inputs have one name.
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
    """Returns the file name of a video with drawn detections."""
    return f'{Path(path).stem}.mp4'


def check_images(pictures: Sequence[Picture]) -> None:
    """Raises a UserError if a file is no image.

    All files are checked first, so that a broken file does not end a command
    after thousands of detections.
    """
    for picture in progress(pictures, len(pictures), 'images opened'):
        try:
            found = mmcv.imread(picture.image)
        except (OSError, cv2.error):  # for example an empty file
            found = None
        if found is None:
            raise UserError(
                f'{picture.image} is no image that OpenCV can read: repair '
                'it, or take it out.'
            )


def frames(path: str) -> Iterator[Picture]:
    """Yields the frames of a video."""
    video = mmcv.VideoReader(path)
    for number, frame in enumerate(video):
        if frame is None:
            return
        name = f'{osp.basename(path)}/{number:06d}.jpg'
        yield Picture(name, frame, path, video.fps)


def count_frames(path: str) -> int:
    """Returns the number of frames; raises a UserError if a video has none."""
    if number := max(len(mmcv.VideoReader(path)), 0):
        return number
    raise UserError(
        f'{path} is no video that OpenCV can read: convert it, or take it out.'
    )

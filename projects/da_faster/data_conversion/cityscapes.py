"""Converter of Cityscapes and Foggy Cityscapes."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from pycocotools.mask import encode

from da_faster.data_conversion.arguments import check_choice, check_existing
from da_faster.data_conversion.coco import CocoSplit, build_splits
from da_faster.data_conversion.output import write_splits
from da_faster.data_conversion.parallel import track_splits
from da_faster.data_conversion.reading import image_size
from da_faster.data_conversion.samples import (
    AnyPath,
    Box,
    ConversionError,
    Sample,
)
from da_faster.listing import is_hidden

# Label ids with instances (cityscapesscripts/helpers/labels.py).
LABELS = {
    24: 'person', 25: 'rider', 26: 'car', 27: 'truck', 28: 'bus',
    29: 'caravan', 30: 'trailer', 31: 'train', 32: 'motorcycle', 33: 'bicycle'
}  # fmt: skip
CLASSES = (
    'person',
    'rider',
    'car',
    'truck',
    'bus',
    'train',
    'motorcycle',
    'bicycle',
)
SPLITS = ('train', 'val')
BETAS = ('0.005', '0.01', '0.02')
GT_SUFFIX = '_gtFine_instanceIds.png'


def read_instances(path: Path) -> np.ndarray:
    """Reads instance ids, (H, W): labelId * 1000 + number, or labelId."""
    try:
        with Image.open(path) as image:
            image.load()
            mode, ids = image.mode, np.asarray(image)
    except FileNotFoundError:
        raise ConversionError(f'{path} is missing: complete gtFine.') from None
    except (OSError, SyntaxError, ValueError) as error:
        raise ConversionError(
            f'{path} is not a readable image ({error}): '
            'unpack gtFine_trainvaltest.zip again.'
        ) from error
    if not mode.startswith('I'):
        raise ConversionError(
            f'{path} is not a 16-bit image (mode {mode}), so its instance '
            'ids are cut off: unpack gtFine_trainvaltest.zip again.'
        )
    return ids.astype(np.int32)


def has_speck(mask: np.ndarray) -> bool:
    """Whether the outline of a connected part has only one or two points.

    Detectron leaves such an instance out, since the outline is no polygon.

    Args:
        mask: The instance, (H, W), bool.
    """
    outlines, _ = cv2.findContours(
        np.pad(mask, 1).astype(np.uint8),
        cv2.RETR_EXTERNAL,
        cv2.CHAIN_APPROX_NONE,
    )
    return min(map(len, outlines)) <= 2


def read_boxes(path: Path) -> tuple[tuple[int, int], list[Box], Counter]:
    """Reads an instanceIds image.

    Returns:
        Width and height; the boxes; numbers of instances left out, by reason.
    """
    ids = read_instances(path)
    boxes, notes = [], Counter()
    for number in np.unique(ids[ids >= min(LABELS)]).tolist():
        label = number // 1000 if number >= 1000 else number
        if label not in LABELS:
            if number < 1000 and label <= max(LABELS):
                continue
            raise ConversionError(
                f'{path} holds the instance id {number}, but label {label} '
                'has no instances in Cityscapes: take the instanceIds images '
                'of gtFine, not ones made with other label ids.'
            )
        name = LABELS[label]
        if number < 1000:
            notes[f'groups ({name}group) left out'] += 1
            continue
        mask = ids == number
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        left, right = int(columns[0]), int(columns[-1]) + 1
        crop = mask[top:bottom, left:right]
        if name in CLASSES and has_speck(crop):
            notes['instances with a speck of 1 or 2 pixels left out'] += 1
            continue
        runs = encode(np.asfortranarray(mask, np.uint8))
        boxes.append(
            Box(
                name,
                left,
                top,
                right,
                bottom,
                area=int(crop.sum()),
                segmentation=dict(
                    size=runs['size'], counts=runs['counts'].decode()
                ),
            )
        )
    return (ids.shape[1], ids.shape[0]), boxes, notes


def read_sample(
    gt: Path, images: Path, suffixes: Sequence[str]
) -> list[Sample]:
    """Reads the images of one scene, which share its labels.

    Args:
        gt: The instanceIds image, <split>/<city>/<scene>_gtFine_....png.
        images: Folder of the images <split>/<city>/<scene><suffix>.
        suffixes: The suffix of each image of the scene.
    """
    size, boxes, notes = read_boxes(gt)
    split, city, name = gt.parts[-3:]
    samples = []
    for suffix in suffixes:
        file_name = f'{city}/{name.removesuffix(GT_SUFFIX)}{suffix}'
        found = image_size(images / split / file_name)
        if found != size:
            raise ConversionError(
                f'{images / split / file_name} is {found[0]}x{found[1]}, but '
                f'{gt} is {size[0]}x{size[1]}: unpack both again.'
            )
        samples.append(Sample(file_name, size, boxes, notes))
    return samples


def list_scenes(root: Path, images: Path, split: str) -> list[Path]:
    """Lists the instanceIds images of a split; no city may lack them."""
    folder = root / 'gtFine' / split
    scenes = sorted(
        path
        for path in folder.glob(f'*/*{GT_SUFFIX}')
        if not is_hidden(path.relative_to(folder))
    )
    if not scenes:
        raise ConversionError(
            f'{folder} holds no <city>/*{GT_SUFFIX}: unpack '
            'gtFine_trainvaltest.zip there.'
        )
    cities = {path.parent.name for path in scenes}
    for city in sorted((images / split).glob('*')):
        known = city.name in cities or is_hidden(city.name)
        if city.is_dir() and not known:
            raise ConversionError(
                f'{city} has no labels in {root / "gtFine"}: unpack '
                'gtFine_trainvaltest.zip again.'
            )
    return scenes


def convert(
    root: AnyPath,
    *,
    out: AnyPath | None = None,
    foggy: AnyPath | None = None,
    beta: str | float | None = None,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``instancesonly_filtered_gtFine_<split>.json`` for both splits.

    With ``foggy`` the names end in ``_foggy_beta_<beta>``. OpenCV is set to a
    single thread, since the processes take the cores.

    Args:
        root: The folder of gtFine and, unless ``foggy`` is given, of
            leftImg8bit.
        out: The folder to write to; default: ``annotations`` beside
            leftImg8bit or leftImg8bit_foggy.
        foggy: The folder of leftImg8bit_foggy.
        beta: Attenuation coefficient of the fog, 1/m: one of ``BETAS``, or
            "all" for a file of each and one with all three images of every
            scene.
        force: Replace earlier files.
        nproc: Number of processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    root = Path(root)
    if (foggy is None) != (beta is None):
        raise ConversionError('give --foggy DIR and --beta together.')
    if foggy is not None:
        check_choice((*BETAS, 'all'), beta=str(beta))
        images = Path(foggy) / 'leftImg8bit_foggy'
        betas = BETAS if beta == 'all' else (beta,)
        suffixes = [f'_leftImg8bit_foggy_beta_{fog}.png' for fog in betas]
        endings = [f'_foggy_beta_{fog}' for fog in betas]
    else:
        images = root / 'leftImg8bit'
        suffixes, endings = ['_leftImg8bit.png'], ['']
    out = Path(out or images.parent / 'annotations')
    stem = 'instancesonly_filtered_gtFine_'
    together = [f'_foggy_beta_{beta}'] if len(endings) > 1 else []
    check_existing(
        out,
        [
            f'{stem}{split}{ending}'
            for split in SPLITS
            for ending in endings + together
        ],
        force,
    )

    cv2.setNumThreads(1)
    tasks = {split: list_scenes(root, images, split) for split in SPLITS}
    read = track_splits(
        partial(read_sample, images=images, suffixes=suffixes), tasks, nproc
    )
    samples: dict[str, list[Sample]] = {}
    for split, scenes in read.items():
        for i, ending in enumerate(endings):
            samples[f'{stem}{split}{ending}'] = [some[i] for some in scenes]
        for ending in together:
            samples[f'{stem}{split}{ending}'] = sum(scenes, [])
    return write_splits(
        build_splits(samples, {name: name for name in CLASSES}), out, force
    )

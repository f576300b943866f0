"""Makes pairs on which adaptation may lose, out of the small pairs.

- ``colour``: vehicles of the generated city, with classes of colour alone. The
  target is 40 images of another camera, which makes vehicles bluish, dark and
  larger by half.
- ``absent``: trucks and buses of the generated city. The target is the 17
  images of the other camera that show neither.
- ``closer``: blood smears. The target is 8 images, in which cells are two to
  three times as large. The test set has four windows of each photograph. They
  are not independent, so intervals over the images are too narrow.
- ``reversed``: blood smears with source and target exchanged, and 30 source
  images.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from da_faster.data_conversion.coco import CocoSplit
from da_faster.data_conversion.coco_layout import read_coco
from da_faster.data_conversion.output import atomic_folder
from da_faster.data_conversion.samples import AnyPath, Box
from da_faster.errors import UserError
from da_faster.package_configs import carried_root

from .methods import TEMPLATE

VEHICLES = 'car', 'truck', 'bus'
COLOURS = 'red', 'blue', 'other'
FEW = 40  # images of the other camera to adapt to
LARGE = 'truck', 'bus'
CELLS = 'RBC', 'WBC'


class Example(NamedTuple):
    """An image, (H, W, 3), BGR, uint8, and its boxes."""

    name: str
    image: np.ndarray
    boxes: list[Box]


def read(root: Path, split: str, folder: str) -> Iterator[Example]:
    """Reads the images of a small pair, as its converter wrote them.

    Raises:
        UserError: If the pair is missing.
    """
    path = root / 'annotations' / f'{split}.json'
    if not path.is_file():
        raise UserError(
            f'{path} does not exist: make {root} with '
            f'tools/dataset_converters/{root.name}.py first.'
        )
    for sample in read_coco(path)[0]:
        path = root / folder / sample.file_name
        image = cv2.imread(str(path))
        if image is None:
            raise UserError(f'{path} cannot be read: make {root} again.')
        yield Example(path.name, image, sample.boxes)


def colour_of(image: np.ndarray, box: Box) -> str:
    """Returns the colour of most coloured pixels in a box.

    Pixels in the middle of the box count where the saturation is above 100 of
    255.

    Returns:
        str: ``red``, ``blue`` or ``other``, also for fewer than 10 pixels.
    """
    _, x1, y1, x2, y2 = box[:5]
    dx, dy = 0.15 * (x2 - x1), 0.15 * (y2 - y1)
    left, top = int(x1 + dx), int(y1 + dy)
    middle = image[
        top : max(int(y2 - dy), top + 1), left : max(int(x2 - dx), left + 1)
    ]
    hue, saturation, _ = cv2.split(cv2.cvtColor(middle, cv2.COLOR_BGR2HSV))
    hue = hue[saturation > 100]  # in steps of two degrees
    if len(hue) < 10:
        return 'other'
    if np.mean((hue < 12) | (hue > 168)) > 0.5:
        return 'red'
    return 'blue' if np.mean((hue > 95) & (hue < 130)) > 0.5 else 'other'


def by_colour(examples: Iterable[Example]) -> Iterator[Example]:
    """Keeps the vehicles, with their colour as class."""
    for example in examples:
        boxes = [
            box._replace(label=colour_of(example.image, box))
            for box in example.boxes
            if box.label in VEHICLES
        ]
        yield example._replace(boxes=boxes)


def other_camera(examples: Iterable[Example]) -> Iterator[Example]:
    """Changes images to those of a camera with other colours and exposure.

    Blue gets brighter by a fifth, red darker by a fifth. Then levels are taken
    to the power of 1.4.
    """
    levels = np.arange(256) / 255
    table = [(levels * gain).clip(0, 1) ** 1.4 for gain in (1.2, 1.0, 0.8)]
    table = np.rint(255 * np.stack(table, axis=1)).astype(np.uint8)[None]
    for example in examples:
        yield example._replace(image=cv2.LUT(example.image, table))


def windows(
    examples: Iterable[Example], width: int, height: int, each: int = 1
) -> Iterator[Example]:
    """Cuts random windows, in pixels, out of each image.

    The upper and the lower quarter are left out. A box stays where more than
    40 % of it and 4 pixels each way are in the window.
    """
    for number, (name, image, boxes) in enumerate(examples):
        for again in range(each):
            rng = np.random.default_rng([number, again])
            rows, columns = image.shape[:2]
            quarter = (rows - height) // 4
            left = int(rng.integers(columns - width + 1))
            top = int(rng.integers(quarter, rows - height - quarter + 1))
            kept = []
            for label, x1, y1, x2, y2, *_ in boxes:
                area = (x2 - x1) * (y2 - y1)
                x1, x2 = np.clip((x1 - left, x2 - left), 0, width).tolist()
                y1, y2 = np.clip((y1 - top, y2 - top), 0, height).tolist()
                w, h = x2 - x1, y2 - y1
                if w * h > 0.4 * area and min(w, h) >= 4:
                    kept.append(Box(label, x1, y1, x2, y2))
            window = image[top : top + height, left : left + width]
            yield Example(f'{again}_{name}', window, kept)


def shows(example: Example, classes: Iterable[str]) -> bool:
    """Says whether an image has an object of the classes."""
    return any(box.label in classes for box in example.boxes)


def fill_template(**values) -> str:
    """Fills the lines at the top of the template for custom data.

    The bases of the result are those of this checkout or installed package.
    """
    root = carried_root()
    head, rule, rest = (root / TEMPLATE).read_text().partition('\n# -----')
    for name, value in values.items():
        line = f'{name} = {value!r}'.replace('\\', r'\\')
        head, count = re.subn(f'^{name} = .*$', line, head, flags=re.M)
        assert count == 1, f'{TEMPLATE} has no line {name}'
    return head.replace("'../", f"'{root}/configs/") + rule + rest


def write(
    folder: Path,
    out: Path,
    classes: tuple[str, ...],
    parts: dict[str, Iterable[Example]],
    scale: tuple[int, int],
) -> dict[str, CocoSplit]:
    """Writes one pair: images, labels and a config for training.

    Args:
        folder: The folder to write.
        out: The final path of the folder.
        classes: The classes of the boxes to keep.
        parts: The images of ``source``, ``target`` and ``test``.
        scale: The value of ``scale`` in the template, in pixels.

    Returns:
        The content of each part.
    """
    splits = {}
    for part, examples in parts.items():
        split = splits[part] = CocoSplit(classes)
        (folder / part).mkdir(parents=True)
        for name, image, boxes in examples:
            cv2.imwrite(str(folder / part / name), image)
            split.add_image(name, *image.shape[1::-1])
            for box in boxes:
                if box.label in classes:
                    split.add_box(*box[:5])
        if part != 'target':  # no training may see its labels
            split.save(folder / 'annotations' / f'{part}.json')
    text = fill_template(
        classes=classes,
        source_images=f'{out}/source/',
        source_labels=f'{out}/annotations/source.json',
        target_images=f'{out}/target/',
        test_labels=f'{out}/annotations/test.json',
        test_images=f'{out}/test/',
        scale=scale,
        target_scale=scale,
    )
    (folder / f'{folder.name}.py').write_text(text)
    return splits


def make(
    *,
    root: AnyPath = 'data',
    out: AnyPath = 'data/hard_pairs',
    force: bool = False,
) -> dict[Path, CocoSplit]:
    """Makes the four pairs, each with a config of its name.

    Args:
        root: The folder with city2foggy and blood_smears, as their converters
            write them.
        out: The folder to make.
        force: Replace an earlier result.

    Returns:
        The content of each folder of images.

    Raises:
        UserError: If a pair is missing or the folder may not be replaced.
    """
    city, smears = Path(root, 'city2foggy'), Path(root, 'blood_smears')
    out = Path(out)
    street, cell = (384, 192), (10000, 224)

    def scenes() -> Iterator[Example]:
        return other_camera(read(city, 'source_test', 'source_test'))

    def seen(first: int, stop: int | None) -> Iterator[Example]:
        clear = by_colour(read(city, 'source_test', 'source_test'))
        return windows(other_camera(islice(clear, first, stop)), 256, 128)

    pairs = dict(
        colour=(
            COLOURS,
            dict(
                source=by_colour(read(city, 'source_train', 'source')),
                target=seen(0, FEW),
                test=seen(FEW, None),
            ),
            street,
        ),
        absent=(
            LARGE,
            dict(
                source=read(city, 'source_train', 'source'),
                target=(x for x in scenes() if not shows(x, LARGE)),
                test=(x for x in scenes() if shows(x, LARGE)),
            ),
            street,
        ),
        closer=(
            CELLS,
            dict(
                source=read(smears, 'source_train', 'source'),
                target=windows(
                    islice(read(smears, 'target_train', 'target/train'), 8),
                    96,
                    96,
                ),
                test=windows(
                    read(smears, 'target_test', 'target/test'), 96, 96, each=4
                ),
            ),
            cell,
        ),
        reversed=(
            CELLS,
            dict(
                source=read(smears, 'target_train', 'target/train'),
                target=islice(
                    read(smears, 'source_train', 'source'), 0, None, 2
                ),
                test=islice(
                    read(smears, 'source_train', 'source'), 1, None, 2
                ),
            ),
            cell,
        ),
    )
    written = {}
    with atomic_folder(out, list(pairs), force) as folder:
        for name, (classes, parts, scale) in pairs.items():
            splits = write(folder / name, out / name, classes, parts, scale)
            written.update(
                {out / name / part: split for part, split in splits.items()}
            )
    return written

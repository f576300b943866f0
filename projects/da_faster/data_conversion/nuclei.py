"""Converter of nuclei: fluorescence microscopy and stained tissue."""

import shutil
from functools import partial
from pathlib import Path

from da_faster.data_conversion.coco import CocoSplit, build_splits
from da_faster.data_conversion.csv_layout import read_csv_boxes
from da_faster.data_conversion.output import atomic_folder, save_into
from da_faster.data_conversion.parallel import track
from da_faster.data_conversion.reading import image_size
from da_faster.data_conversion.samples import AnyPath, ConversionError, Sample
from da_faster.listing import is_hidden

CLASS = 'nucleus'
MEND = 'give the folder that holds fluorescence and stained.'
# Test tiles of the target. No two tiles overlap by an eighth or more
# (normalised cross-correlation of all pairs at all shifts). But several tiles
# look alike, so they may come from one slide. Tiles were grouped by colour:
# average linkage of the earth mover's distances between the histograms of L,
# a and b, 32 bins each, cut at a sum of 1.5 bins. The 20 groups went to
# target_train, in the order of the SHA-256 of the first name in each, until
# target_train had 30 tiles or more. The other groups are test tiles.
TARGET_TEST = (
    '0121d6759c5adb29', '0d3640c1f1b80f24', '1e488c42eb1a54a3',
    '2e2d29fc44444a85', '33a5b0ff232b4257', '442c4eb0185698fe',
    '57bd029b19c1b382', '589f86dee5b480a8', '5c6eb9a47852754d',
    '65c8527c16a01619', '6ab24e7e1f6c9fdd', '6c67b78e81648010',
    '6d327ab4f0e3604f', '709e094e39629a9c', '7798ca1ddb313356',
    '853a4c67900c411a', '92f31f591929a30e', '9fb32aba1c2fd532',
    'a0325cb7aa59e9c0', 'a31deaf0ac279d5f', 'a5fe0b7412dd152c',
    'a7f767ca9770b160', 'ad473063dab4bf4f', 'b909aa8f6f4bec37',
    'be771d6831e3f8f1', 'c1afe66cd139f996', 'ea94ba4b01d1bd5f',
    'f7e5dcfc9c93183c', 'f952cc65376009cf',
)  # fmt: skip


def read_tile(name: str, images: Path, copies: Path, boxes: dict) -> Sample:
    """Copies a tile, and returns its size and boxes."""
    size = image_size(images / name)
    shutil.copyfile(images / name, copies / name)
    return Sample(name, size, boxes.get(name, ()))


def convert(
    root: AnyPath,
    *,
    out: AnyPath = 'data/nuclei',
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes copies of the images and three annotation files.

    The files are ``annotations/{source_train,target_train,target_test}.json``.

    Args:
        root: The folder of fluorescence and stained; each of them has images
            and boxes.csv.
        out: The folder to make.
        force: Replace an earlier result.
        nproc: Number of processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    root, out = Path(root), Path(out)
    test = {f'{stem}.png' for stem in TARGET_TEST}
    samples: dict[str, list[Sample]] = {}
    with atomic_folder(
        out, ('annotations', 'source', 'target'), force
    ) as folder:
        for domain in ('fluorescence', 'stained'):
            boxes = read_csv_boxes(root / domain / 'boxes.csv', MEND)
            images = root / domain / 'images'
            names = sorted(
                path.name
                for path in images.glob('*.png')
                if not is_hidden(path.name)
            )
            wanted = set(boxes) | (test if domain == 'stained' else set())
            missing = sorted(wanted.difference(names))
            if missing:
                raise ConversionError(
                    f'{images / missing[0]} is missing: complete the download.'
                )
            if domain == 'fluorescence':
                splits = dict(source_train=('source', names))
            else:
                splits = dict(
                    target_train=(
                        'target/train',
                        [n for n in names if n not in test],
                    ),
                    target_test=('target/test', sorted(test)),
                )
            for split, (copies, some) in splits.items():
                (folder / copies).mkdir(parents=True)
                samples[split] = track(
                    partial(
                        read_tile,
                        images=images,
                        copies=folder / copies,
                        boxes=boxes,
                    ),
                    some,
                    nproc,
                )
        built = build_splits(samples, {CLASS: CLASS})
        return save_into(folder, out, built)

"""Converter of any COCO annotation file: cleans it, chooses classes."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from da_faster.data_conversion.arguments import (
    check_existing,
    check_labels,
    class_map,
)
from da_faster.data_conversion.coco import CocoSplit, build_splits
from da_faster.data_conversion.coco_layout import read_coco
from da_faster.data_conversion.image_names import default_name, find_images
from da_faster.data_conversion.output import write_splits
from da_faster.data_conversion.parallel import track
from da_faster.data_conversion.reading import with_image_size
from da_faster.data_conversion.samples import (
    AnyPath,
    ConversionError,
)


def convert(
    labels: AnyPath,
    images: AnyPath,
    *,
    out: AnyPath | None = None,
    classes: Sequence[str] | None = None,
    name: str | None = None,
    skip_broken: bool = False,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``<name>.json``.

    Args:
        labels: A COCO annotation file.
        images: The folder that its file names are in.
        out: The folder to write to; default: ``annotations`` beside
            ``images``.
        classes: Categories to keep; default: all, in the order of the file.
        name: Name of the result; default: :func:`default_name`.
        skip_broken: Leave out and count images that cannot be used.
        force: Replace an earlier file.
        nproc: Number of processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    labels, images = Path(labels), Path(images)
    out = Path(out or images.parent / 'annotations')
    name = name or default_name(labels, images)
    if (out / f'{name}.json').resolve() == labels.resolve():
        raise ConversionError(
            f'{labels} would be replaced by its own subset: '
            'give another --name or --out.'
        )
    check_existing(out, [name], force, '--name')
    wanted = class_map(classes or ())
    samples, categories, lost = read_coco(labels, wanted)
    names = wanted or class_map(dict.fromkeys(categories))
    check_labels(labels, 'category', names, categories)
    read = partial(with_image_size, images=images)
    found = find_images(samples, images, labels)
    built = build_splits(
        {name: track(read, found, nproc, skip_broken)},
        names,
        labelled=bool(classes),
    )
    built[name].notes.update(lost)
    return write_splits(built, out, force)

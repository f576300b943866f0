"""Converter of a table with a line for each box."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from da_faster.data_conversion.arguments import (
    check_choice,
    check_existing,
    class_map,
)
from da_faster.data_conversion.coco import CocoSplit, build_splits
from da_faster.data_conversion.csv_layout import FORMATS, open_table
from da_faster.data_conversion.image_names import default_name, find_images
from da_faster.data_conversion.output import write_splits
from da_faster.data_conversion.parallel import track
from da_faster.data_conversion.reading import with_image_size
from da_faster.data_conversion.samples import (
    AnyPath,
    Box,
    ConversionError,
    Sample,
    from_relative,
)
from da_faster.listing import IMAGE_SUFFIXES, list_files


def read_sample(
    sample: Sample | ConversionError, images: Path, relative: bool
) -> Sample:
    """Returns a sample with the size of its image, and boxes in pixels."""
    sample = with_image_size(sample, images)
    if not relative:
        return sample
    boxes = [
        Box(box.label, *from_relative(box[1:5], sample.size))
        for box in sample.boxes
    ]
    return sample._replace(boxes=boxes)


def check_unit(
    table: Path, samples: Sequence[Sample | ConversionError], relative: bool
) -> None:
    """Raises a ConversionError if corners seem to be of the other unit.

    Args:
        table: The file.
        samples: The samples of the file.
        relative: Whether the corners should be relative to the image.
    """
    corners = [
        max(box[1:5])
        for sample in samples
        if isinstance(sample, Sample)
        for box in sample.boxes
    ]
    # Relative corners may lie a little beyond 1.
    if corners and (max(corners) <= 2) != relative:
        unit, action = ('relative to the image', 'give')
        if relative:
            unit, action = ('in pixels', 'leave out')
        raise ConversionError(
            f'{table} has corners up to {max(corners):g}, so they seem to be '
            f'{unit}: {action} --relative.'
        )


def convert(
    table: AnyPath,
    images: AnyPath,
    *,
    out: AnyPath | None = None,
    columns: Sequence[str] = (),
    label: str | None = None,
    box_format: str | None = None,
    relative: bool = False,
    classes: Sequence[str] | None = None,
    name: str | None = None,
    skip_broken: bool = False,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``<name>.json``.

    A line with an empty box is an image without objects. Images of the folder
    that no line names are left out and counted. Corners count pixels from 0.

    Args:
        table: The file; its first line names the columns.
        images: The folder that the file names of the table are in.
        out: The folder to write to; default: ``annotations`` beside
            ``images``.
        columns: Each ``KEY=COLUMN``, for columns without a usual name; the
            keys are those of ``csv_layout.COLUMNS``.
        label: The label of every box, where the table has no column for it.
        box_format: Format of a column with the whole box, one of ``FORMATS``.
        relative: Whether corners are relative to the image, not pixels.
        classes: Labels to keep; default: all, in alphabetical order.
        name: Name of the result; default: :func:`default_name`.
        skip_broken: Leave out and count images that cannot be used, or that a
            broken line is about.
        force: Replace an earlier file.
        nproc: Number of processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    table, images = Path(table), Path(images)
    if box_format is not None:
        check_choice(FORMATS, box_format=box_format)
    out = Path(out or images.parent / 'annotations')
    name = name or default_name(table, images)
    check_existing(out, [name], force, '--name')
    rows = open_table(table, columns, label, box_format).samples()
    check_unit(table, list(rows.values()), relative)
    found = find_images(list(rows.values()), images, table)
    labels = {
        box.label
        for sample in found
        if isinstance(sample, Sample)
        for box in sample.boxes
    }
    names = class_map(classes) if classes else {n: n for n in sorted(labels)}
    used = {s.file_name for s in found if isinstance(s, Sample)}
    built = build_splits(
        {
            name: track(
                partial(read_sample, images=images, relative=relative),
                found,
                nproc,
                skip_broken,
            )
        },
        names,
    )
    others = [
        path
        for path in list_files(images, IMAGE_SUFFIXES)
        if path.relative_to(images).as_posix() not in used
    ]
    if others:
        built[name].notes['images that the table does not name left out'] = (
            len(others)
        )
    return write_splits(built, out, force)

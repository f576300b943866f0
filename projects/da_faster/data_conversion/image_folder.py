"""Converter of a folder of images without labels."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from da_faster.data_conversion.arguments import (
    check_existing,
    check_positive,
    class_map,
)
from da_faster.data_conversion.coco import CocoSplit, build_splits
from da_faster.data_conversion.output import write_splits
from da_faster.data_conversion.parallel import track
from da_faster.data_conversion.reading import image_size
from da_faster.data_conversion.samples import AnyPath, ConversionError, Sample
from da_faster.listing import IMAGE_SUFFIXES, list_files


def read_sample(name: str, root: Path) -> Sample:
    """Reads one image, ``name`` below ``root``."""
    return Sample(name, image_size(root / name))


def convert(
    root: AnyPath,
    *,
    out: AnyPath | None = None,
    classes: Sequence[str] = (),
    name: str | None = None,
    suffix: Sequence[str] = IMAGE_SUFFIXES,
    every: int = 1,
    skip_broken: bool = False,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``<name>.json`` with the images and without annotations.

    Args:
        root: The folder of the images, subfolders included. Hidden files are
            passed over.
        out: The folder to write to; default: ``annotations`` beside ``root``.
        classes: The categories of the file.
        name: Name of the file; default: name of the folder.
        suffix: Endings of the files to take, case ignored.
        every: Take each ``every``-th image, from the first on.
        skip_broken: Leave out and count images that cannot be read.
        force: Replace an earlier file.
        nproc: Number of processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If an image is broken or an argument is wrong.
    """
    check_positive(every=every)
    out = Path(out or Path(root).parent / 'annotations')
    root = Path(root).resolve()
    name = name or root.name
    names = class_map(classes)
    check_existing(out, [name], force, '--name')
    files = [
        path.relative_to(root).as_posix() for path in list_files(root, suffix)
    ]
    if not files:
        raise ConversionError(
            f'{root} holds no image ({", ".join(suffix)}): check the path '
            'and --suffix.'
        )
    samples = track(
        partial(read_sample, root=root), files[::every], nproc, skip_broken
    )
    return write_splits(
        build_splits({name: samples}, names, labelled=False), out, force
    )

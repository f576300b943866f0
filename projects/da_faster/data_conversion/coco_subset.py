"""A clean COCO annotation file of any COCO annotation file."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from da_faster.data_conversion.coco import (
    AnyPath,
    Box,
    CocoSplit,
    ConversionError,
    Sample,
    build_splits,
    class_map,
    finite,
    image_size,
    read_json,
    refuse_existing,
    track,
    write_splits,
)
from da_faster.image_files import mend_size


def read_coco(path: Path) -> tuple[list[Sample], list[str]]:
    """Samples in the order of the file, and the names of its categories.

    The size of a sample is (0, 0) where the file does not state it.
    """
    content = read_json(path)
    try:
        categories = {c['id']: str(c['name']) for c in content['categories']}
        images = {image['id']: image for image in content['images']}
        samples = {
            key: Sample(
                str(image['file_name']),
                (int(image.get('width') or 0), int(image.get('height') or 0)),
                [],
                Counter(),
            )
            for key, image in images.items()
        }
        annotations = content.get('annotations', [])
        if len(images) < len(content['images']):
            raise ValueError('two images have the same id')
        lost = Counter()
        for item in annotations:
            add_annotation(item, samples, categories, lost)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConversionError(
            f'{path} is not a COCO annotation file ({error!r}): it needs '
            'images (id, file_name), annotations (image_id, category_id, '
            'bbox) and categories (id, name).'
        ) from error
    check_ids(path, lost, len(annotations), categories)
    found = list(samples.values())
    if found:
        found[0].notes.update(lost)
    return found, list(categories.values())


def add_annotation(
    item: dict,
    samples: dict[int, Sample],
    categories: dict[int, str],
    lost: Counter,
) -> None:
    """Adds one box to the sample of its image, or counts why not."""
    if item['image_id'] not in samples:
        lost['boxes of an image that is not listed left out'] += 1
        return
    boxes, notes = samples[item['image_id']][2:]
    if item['category_id'] not in categories:
        lost['boxes of a category that is not listed left out'] += 1
        lost[f'category_id {item["category_id"]}'] += 1
        return
    x, y, width, height = item['bbox']
    try:
        x, y, width, height = finite(x, y, width, height)
    except ValueError:
        notes['boxes that are not finite left out'] += 1
        return
    boxes.append(
        Box(
            categories[item['category_id']],
            x,
            y,
            x + width,
            y + height,
            # A mask's area counts; that of a clipped box is computed.
            item.get('area') if item.get('segmentation') else None,
            int(bool(item.get('iscrowd', 0))),
        )
    )


def check_ids(
    path: Path, lost: Counter, total: int, categories: dict[int, str]
) -> None:
    """Raises where the category ids are all shifted by one."""
    unknown = sorted(key for key in lost if key.startswith('category_id '))
    for key in unknown:
        count = lost.pop(key)
        if key == 'category_id 0' and categories and min(categories) == 1:
            raise ConversionError(
                f'{path} has {count} of {total} boxes of category_id 0, but '
                'its categories count from 1: correct the ids of its '
                'annotations, or those of its categories.'
            )


def check_image(sample: Sample, images: Path) -> Sample:
    """The sample with the size of its image."""
    size = image_size(images / sample.file_name)
    if sample.size not in (size, (0, 0)):
        path = images / sample.file_name
        mend = 'give the images that were labelled'
        raise ConversionError(
            f'{path} is {size[0]}x{size[1]}, but its annotations are for '
            f'{sample.size[0]}x{sample.size[1]}: '
            f'{mend_size(path, size, sample.size, mend)}.'
        )
    return sample._replace(size=size)


def convert(
    labels: AnyPath,
    images: AnyPath,
    *,
    out: AnyPath | None = None,
    classes: Sequence[str] | None = None,
    name: str | None = None,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``<name>.json``.

    Args:
        labels: A COCO annotation file.
        images: The folder that its file names are in.
        out: Default: ``annotations`` beside ``images``.
        classes: Default: all categories, in the order of the file.
        name: Of the result; default: that of ``labels``.
        force: Replace an earlier file.
        nproc: Processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If the data or an argument is wrong.
    """
    labels, images = Path(labels), Path(images)
    out = Path(out or images.parent / 'annotations')
    name = name or labels.stem
    if (out / f'{name}.json').resolve() == labels.resolve():
        raise ConversionError(
            f'{labels} would be replaced by its own subset: '
            'give another --name or --out.'
        )
    refuse_existing(out, [name], force)
    samples, categories = read_coco(labels)
    names = class_map(classes or dict.fromkeys(categories))
    for label in names:
        if label not in categories:
            raise ConversionError(
                f'{labels} has no category {label}: it has '
                f'{", ".join(categories)}.'
            )
    samples = track(partial(check_image, images=images), samples, nproc)
    return write_splits(
        build_splits({name: samples}, names, labelled=bool(classes)),
        out,
        force,
    )

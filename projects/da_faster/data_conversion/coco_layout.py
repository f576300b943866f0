"""The content of a COCO annotation file, as other tools write it."""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from da_faster.data_conversion.reading import read_json
from da_faster.data_conversion.samples import (
    Box,
    ConversionError,
    Sample,
    finite,
)


def read_coco(
    path: Path,
    wanted: Collection[str] = (),
    keys: Mapping[str, str] | None = None,
) -> tuple[list[Sample], list[str], Counter]:
    """Reads an annotation file.

    Args:
        path: The file.
        wanted: Names of categories to keep, empty root categories included.
        keys: COCO's keys by the keys of the file, where they differ.

    Returns:
        The samples in the order of the file, with the size (0, 0) where the
        file states none; the names of the categories; the number of
        annotations and categories left out, by reason.

    Raises:
        ConversionError: If the file is missing or broken, or has no box that
            can be used.
    """
    content = read_json(path, keys)
    at = 'its lists'
    try:
        listed = content['categories']
        annotations = content.get('annotations', [])
        categories = {key_of(c['id']): str(c['name']) for c in listed}
        if len(categories) < len(listed):
            raise ValueError('two categories have one id')
        samples: dict[str, Sample] = {}
        for image in content['images']:
            at = f'image {image["id"]}'
            size = [
                int(*finite(image.get(k) or 0)) for k in ('width', 'height')
            ]
            if not image['file_name']:
                raise ValueError('its file_name is empty')
            name, key = str(image['file_name']), key_of(image['id'])
            if key in samples:
                raise ConversionError(
                    f'{path} has the id {key} for {samples[key].file_name} '
                    f'and for {name}, so their boxes cannot be told apart: '
                    'export it again, with other file names (VIA makes ids of '
                    'them).'
                )
            samples[key] = Sample(name, tuple(size), [], Counter())
        lost: Counter = Counter()
        for item in annotations:
            at = f'annotation {item.get("id")}'
            add_annotation(item, samples, categories, lost)
        roots = {
            key
            for key in empty_roots(listed, annotations)
            if categories[key] not in wanted
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConversionError(
            f'{path} is not a COCO annotation file ({error!r} at {at}): it '
            'needs images (id, file_name), annotations (image_id, '
            'category_id, bbox) and categories (id, name).'
        ) from error
    check_ids(path, lost, len(annotations), categories)
    check_use(path, list(samples.values()), lost, len(annotations))
    for key in roots:
        lost[f'empty root category {categories[key]} left out'] += 1
    names = [name for key, name in categories.items() if key not in roots]
    return list(samples.values()), names, lost


def key_of(number) -> str:
    """Converts an id to text: some tools write both 7 and "7"."""
    whole = isinstance(number, float) and number.is_integer()
    return str(int(number) if whole else number)


def empty_roots(categories: list[dict], annotations: list[dict]) -> set[str]:
    """Finds root categories without boxes, and returns their ids.

    Roboflow puts the name of the project before the classes, as a category
    that is the supercategory of the others.
    """
    used = {key_of(item['category_id']) for item in annotations}
    parents = {(c.get('supercategory'), key_of(c['id'])) for c in categories}
    return {
        key_of(c['id'])
        for c in categories
        if key_of(c['id']) not in used
        and c.get('supercategory') in (None, '', 'none')
        and any(
            name == c['name'] and key != key_of(c['id'])
            for name, key in parents
        )
    }


def add_annotation(
    item: dict,
    samples: dict[str, Sample],
    categories: dict[str, str],
    lost: Counter,
) -> None:
    """Adds one box to the sample of its image, or counts why it is left out.

    Args:
        item: A COCO annotation.
        samples: Samples by image id; boxes and notes are added to them.
        categories: Category names by id.
        lost: Counts the annotations that fit no image or no category.
    """
    image, category = key_of(item['image_id']), key_of(item['category_id'])
    if image not in samples:
        lost['boxes of an image that is not listed left out'] += 1
        return
    boxes, notes = samples[image][2:]
    if category not in categories:
        lost['boxes of a category that is not listed left out'] += 1
        lost[f'category_id {category}'] += 1
        return
    corner = item.get('bbox') or ()
    if len(corner) != 4:
        notes['annotations without a box left out'] += 1
        return
    try:
        x, y, width, height = finite(*corner)
    except ValueError:
        notes['boxes that are not finite left out'] += 1
        return
    crowd = is_set(item.get('iscrowd'))
    if crowd:
        notes['boxes with iscrowd=1, which training passes over'] += 1
    elif is_set(item.get('ignore')):
        notes['boxes marked ignore, written as iscrowd'] += 1
        crowd = 1
    boxes.append(
        Box(
            categories[category],
            x,
            y,
            x + width,
            y + height,
            # The area of a mask is kept; that of a box is computed anew.
            positive(item.get('area')) if item.get('segmentation') else None,
            crowd,
        )
    )


def is_set(flag) -> int:
    """Converts a flag to 0 or 1; some tools write it as text."""
    unset = '', '0', '0.0', 'false', 'no', 'none'
    return int(str(flag or '').strip().lower() not in unset)


def positive(area) -> float | None:
    """Returns an area above 0, else None: training passes over other ones."""
    try:
        (area,) = finite(area)
    except (TypeError, ValueError):
        return None
    return area if area > 0 else None


def check_ids(
    path: Path, lost: Counter, total: int, categories: dict[str, str]
) -> None:
    """Raises a ConversionError if all category ids are shifted by one."""
    unknown = sorted(key for key in lost if key.startswith('category_id '))
    for key in unknown:
        count = lost.pop(key)
        if key == 'category_id 0' and '1' in categories:
            raise ConversionError(
                f'{path} has {count} of {total} boxes of category_id 0, but '
                'its categories count from 1: correct the ids of its '
                'annotations, or those of its categories.'
            )


def check_use(
    path: Path, samples: list[Sample], lost: Counter, total: int
) -> None:
    """Raises a ConversionError if no annotation can be used."""
    if total and not any(sample.boxes for sample in samples):
        why = sum((sample.notes for sample in samples), lost)
        reasons = ', '.join(f'{reason}: {n}' for reason, n in why.items())
        raise ConversionError(
            f'{path}: none of its {total} annotations can be used '
            f'({reasons}): export it again, with boxes.'
        )

"""A clean COCO annotation file of any COCO annotation file."""

from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

from da_faster.data_conversion.arguments import check_existing, class_map
from da_faster.data_conversion.coco import CocoSplit, build_splits
from da_faster.data_conversion.image_names import default_name, find_images
from da_faster.data_conversion.output import write_splits
from da_faster.data_conversion.parallel import track
from da_faster.data_conversion.reading import image_size, read_json
from da_faster.data_conversion.samples import (
    AnyPath,
    Box,
    ConversionError,
    Sample,
    finite,
)
from da_faster.image_files import mend_size


def read_coco(
    path: Path, wanted: Collection[str] = ()
) -> tuple[list[Sample], list[str], Counter]:
    """What a file holds.

    Args:
        path: The file.
        wanted: Names of categories to keep, whatever they look like.

    Returns:
        The samples in the order of the file, of size (0, 0) where it states
        none; the names of its categories; what was left out, by reason.
    """
    content = read_json(path)
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
    """An id as text: some tools write 7 in one place, "7" in another."""
    whole = isinstance(number, float) and number.is_integer()
    return str(int(number) if whole else number)


def empty_roots(categories: list[dict], annotations: list[dict]) -> set[str]:
    """Ids of categories without boxes that others have as supercategory.

    Roboflow puts the name of the project before the classes as one, which has
    no supercategory itself.
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
    """Adds one box to the sample of its image, or counts why not."""
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
            # A mask's area counts; that of a clipped box is computed.
            positive(item.get('area')) if item.get('segmentation') else None,
            crowd,
        )
    )


def is_set(flag) -> int:
    """0 or 1 of a flag, which some tools write as a text."""
    unset = '', '0', '0.0', 'false', 'no', 'none'
    return int(str(flag or '').strip().lower() not in unset)


def positive(area) -> float | None:
    """An area above 0; None of any other, which training would pass over."""
    try:
        (area,) = finite(area)
    except (TypeError, ValueError):
        return None
    return area if area > 0 else None


def check_ids(
    path: Path, lost: Counter, total: int, categories: dict[str, str]
) -> None:
    """Raises where the category ids are all shifted by one."""
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
    """Raises where no annotation of many can be used."""
    if total and not any(sample.boxes for sample in samples):
        why = sum((sample.notes for sample in samples), lost)
        reasons = ', '.join(f'{reason}: {n}' for reason, n in why.items())
        raise ConversionError(
            f'{path}: none of its {total} annotations can be used '
            f'({reasons}): export it again, with boxes.'
        )


def check_image(sample: Sample | ConversionError, images: Path) -> Sample:
    """The sample with the size of its image."""
    if isinstance(sample, ConversionError):
        raise sample
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
    skip_broken: bool = False,
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Writes ``<name>.json``.

    Args:
        labels: A COCO annotation file.
        images: The folder that its file names are in.
        out: Default: ``annotations`` beside ``images``.
        classes: Default: all categories, in the order of the file.
        name: Of the result; default: that of ``labels``, or of the folder
            where ``labels`` is among the images, since Roboflow gives all
            parts of a set one name.
        skip_broken: Leave out images that cannot be used, and count them.
        force: Replace an earlier file.
        nproc: Processes; default: one per core.

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
    for label in names:
        if label not in categories:
            raise ConversionError(
                f'{labels} has no category {label}: it has '
                f'{", ".join(categories)}.'
            )
    check = partial(check_image, images=images)
    found = find_images(samples, images, labels)
    built = build_splits(
        {name: track(check, found, nproc, skip_broken)},
        names,
        labelled=bool(classes),
    )
    built[name].notes.update(lost)
    return write_splits(built, out, force)

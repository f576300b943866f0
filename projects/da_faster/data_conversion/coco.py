"""Building of COCO annotation files."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from da_faster.data_conversion.samples import ConversionError, Sample, finite


class CocoSplit:
    """Content of one COCO annotation file, built image by image.

    Args:
        classes: Class names; their order gives the category ids 1, 2, ...
        first_image_id: Id of the first image.

    Attributes:
        category_ids: {class name: category id}.
        images: COCO's entries, one per image.
        annotations: COCO's entries, one per box.
        notes: Number of boxes or images left out or altered, by reason.
            Converters add reasons of their own.
        broken: Sentences about the broken images that were left out.
    """

    def __init__(
        self, classes: Sequence[str], first_image_id: int = 1
    ) -> None:
        self.first_image_id = first_image_id
        self.category_ids = {name: i for i, name in enumerate(classes, 1)}
        self.images: list = []
        self.annotations: list = []
        self.notes: Counter = Counter()
        self.broken: list[str] = []

    def add_sample(
        self, sample: Sample | ConversionError, names: dict[str, str]
    ) -> None:
        """Adds an image and its boxes.

        Args:
            sample: An image, or an error in its place, which is counted.
            names: Class by label. Boxes of other labels are left out.
        """
        if isinstance(sample, ConversionError):
            self.notes['broken images left out'] += 1
            self.broken.append(str(sample))
            return
        self.add_image(sample.file_name, *sample.size)
        self.notes.update(sample.notes or {})
        for label, *rest in sample.boxes:
            if label not in names:
                self.notes[f'{label} boxes left out'] += 1
            else:
                self.add_box(names[label], *rest)

    def add_image(self, file_name: str, width: int, height: int) -> None:
        """Adds an image; boxes that are added later belong to this image."""
        self.images.append(
            dict(
                id=self.first_image_id + len(self.images),
                file_name=file_name,
                width=width,
                height=height,
            )
        )

    def add_box(
        self,
        class_name: str,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        area: float | None = None,
        iscrowd: int = 0,
        segmentation: dict | None = None,
    ) -> None:
        """Adds a box to the last image, clipped to it.

        Args:
            class_name: Class of the box.
            x1, y1, x2, y2: Left, upper, right and lower edge, in pixels from
                the upper left corner of the image; kept to 1/100 pixel.
            area: Area of the object's mask, pixels; None: area of the box.
            iscrowd: 1 for a region that training passes over, and in which
                the evaluation counts no detection.
            segmentation: The mask, in COCO's run lengths; None: no mask.

        Raises:
            ValueError: If an edge is not finite.
        """
        finite(x1, y1, x2, y2)
        if x2 <= x1 or y2 <= y1:
            self.notes['zero-size boxes left out'] += 1
            return
        image = self.images[-1]
        left, right = (min(max(x, 0), image['width']) for x in (x1, x2))
        top, bottom = (min(max(y, 0), image['height']) for y in (y1, y2))
        width, height = round(right - left, 2), round(bottom - top, 2)
        if width <= 0 or height <= 0:
            self.notes['boxes outside the image left out'] += 1
            return
        if (left, top, right, bottom) != (x1, y1, x2, y2):
            self.notes['boxes clipped to the image'] += 1
        self.annotations.append(
            dict(
                id=len(self.annotations) + 1,
                image_id=image['id'],
                category_id=self.category_ids[class_name],
                bbox=[round(left, 2), round(top, 2), width, height],
                area=round(width * height, 2) if area is None else area,
                iscrowd=iscrowd,
            )
        )
        if segmentation is not None:
            self.annotations[-1]['segmentation'] = segmentation

    def count_boxes(self) -> dict[str, int]:
        """Counts the boxes of each class, in the order of the classes."""
        counts = Counter(item['category_id'] for item in self.annotations)
        return {name: counts[i] for name, i in self.category_ids.items()}

    def content(self) -> dict[str, list]:
        """Returns the content of the annotation file."""
        return dict(
            images=self.images,
            annotations=self.annotations,
            categories=[
                dict(id=i, name=name) for name, i in self.category_ids.items()
            ],
        )

    def save(self, path: Path) -> None:
        """Writes the file; the same content gives the same bytes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(self.content(), ensure_ascii=False) + '\n',
            encoding='utf-8',
        )


def build_splits(
    samples: dict[str, Sequence[Sample | ConversionError]],
    names: dict[str, str],
    labelled: bool = True,
) -> dict[str, CocoSplit]:
    """Builds a CocoSplit of each list of samples.

    Args:
        samples: Samples by name of the split. An error stands for an image
            that is left out, see :func:`track`.
        names: Class by label, see :func:`class_map`.
        labelled: Whether there must be a box with a label of ``names``.

    Returns:
        {name of the split: content of its annotation file}.

    Raises:
        ConversionError: If a split has no image, or if ``labelled`` and no box
            has a label of ``names``.
    """
    splits = {}
    for name, some in samples.items():
        split = splits[name] = CocoSplit(list(dict.fromkeys(names.values())))
        for sample in some:
            split.add_sample(sample, names)
        if split.broken and not split.images:
            raise ConversionError(
                f'{name} has no image that can be used, e.g. {split.broken[0]}'
            )
        if not split.images:
            raise ConversionError(
                f'{name} has no image: check the source '
                'folder and the options.'
            )
    found = Counter(
        box.label
        for some in samples.values()
        for sample in some
        if isinstance(sample, Sample)
        for box in sample.boxes
    )
    if labelled and not found:
        raise ConversionError(
            'no image has a box: check the label files and the options.'
        )
    if labelled and not any(label in names for label in found):
        known = ', '.join(map(str, found))
        raise ConversionError(
            f'no box has one of the labels {", ".join(names)}; the files have '
            f'{known}: set --classes.'
        )
    return splits

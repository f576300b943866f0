"""Reads a table with a line for each box."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from da_faster.data_conversion.samples import (
    CORNERS,
    Box,
    ConversionError,
    Sample,
    finite,
)

# Usual names of the columns, in small letters.
COLUMNS = dict(
    image=(
        'image', 'img', 'filename', 'file_name', 'file', 'image_name', 'path',
        'image_path', 'filepath'
    ),
    label=('label', 'class', 'class_name', 'classname', 'category',
           'labelname'),
    xmin=('xmin', 'x_min', 'x1', 'left'),
    ymin=('ymin', 'y_min', 'y1', 'top'),
    xmax=('xmax', 'x_max', 'x2', 'right'),
    ymax=('ymax', 'y_max', 'y2', 'bottom'),
    x=('x', 'bbox_x'),
    y=('y', 'bbox_y'),
    width=('width', 'w', 'bbox_width'),
    height=('height', 'h', 'bbox_height'),
    bbox=('bbox', 'box'),
    # Of the image, where there is no other: often just its number.
    image_id=('image_id', 'imageid'),
)  # fmt: skip
SIDES = ('x', 'y', 'width', 'height')
FORMATS = ('xyxy', 'xywh')
# Never of the image, even where the box has corners.
OF_A_BOX = ('w', 'h', 'bbox_width', 'bbox_height')


class Table(NamedTuple):
    """A table whose columns are known.

    Args:
        path: The file.
        delimiter: Between two values.
        columns: The columns of image, label, box and size.
        box_format: One of ``FORMATS``.
        label: The class of every box, where there is no such column.
        mend: Ends the sentence where a line is broken.
    """

    path: Path
    delimiter: str
    columns: dict[str, list[str]]
    box_format: str
    label: str | None
    mend: str

    def rows(self) -> Iterator[tuple[int, dict]]:
        """The number of each line, and its values by column."""
        try:
            with open(self.path, newline='', encoding='utf-8-sig') as file:
                reader = csv.DictReader(
                    file, delimiter=self.delimiter, strict=True
                )
                for row in reader:
                    yield reader.line_num, row
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ConversionError(
                f'{self.path} is broken at line {reader.line_num} ({error}): '
                f'{self.mend}'
            ) from error

    def values(self, row: dict, what: str) -> list[str]:
        """What a line has in the columns of something."""
        return [row[column].strip() for column in self.columns.get(what, ())]

    def box(self, row: dict) -> Box | None:
        """The box of a line; None where it is empty, without an object.

        Raises:
            ValueError: If it is not four numbers, or has no label.
        """
        values = self.values(row, 'box')
        if len(values) == 1:
            values = values[0].strip('[]() ').replace(',', ' ').split()
        if all(value.lower() in ('', 'nan') for value in values):
            return None
        if len(values) != 4:
            raise ValueError(f'a box of {len(values)} numbers')
        a, b, c, d = finite(*values)
        (label,) = self.values(row, 'label') or (self.label,)
        if not label:
            raise ValueError('no label')
        if self.box_format == 'xywh':
            c, d = a + c, b + d
        return Box(label, a, b, c, d)

    def size(self, row: dict) -> tuple[int, int]:
        """What a line says of the size of its image; (0, 0) for nothing.

        Raises:
            ValueError: If it is not two numbers.
        """
        values = self.values(row, 'size')
        if all(value.lower() in ('', 'nan') for value in values):
            return 0, 0
        width, height = map(int, finite(*values))
        return width, height

    def samples(self) -> dict[str, Sample | ConversionError]:
        """By name of the image, in the order of the table.

        An image of which a line is broken has an error. Its size is (0, 0)
        where the table states none.
        """
        found: dict[str, Sample | ConversionError] = {}
        for line, row in self.rows():
            name = (row[self.columns['image'][0]] or '').strip()
            try:
                if None in row or None in row.values():
                    raise ValueError('more or fewer values than columns')
                if not name:
                    raise ValueError('no image')
                box, stated = self.box(row), self.size(row)
                sample = found.get(name, Sample(name, stated, []))
                if isinstance(sample, Sample):
                    if (0, 0) not in (sample.size, stated) and (
                        sample.size != stated
                    ):
                        raise ValueError('the image has another size before')
                    size = max(sample.size, stated)
                    sample.boxes.extend([box] if box else [])
                    found[name] = sample._replace(size=size)
            except ValueError as error:
                earlier = found.get(name)
                if not isinstance(earlier, ConversionError):
                    found[name] = ConversionError(
                        f'{self.path} is broken at line {line} ({error}): '
                        f'{self.mend}'
                    )
        return found


def read_header(path: Path, mend: str) -> tuple[str, list[str]]:
    """The delimiter of a table and the names of its columns."""
    try:
        with open(path, newline='', encoding='utf-8-sig') as file:
            head = file.readline()
    except FileNotFoundError:
        raise ConversionError(f'{path} is missing: {mend}') from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConversionError(
            f'{path} is not a table in text ({error}): export it as csv, '
            'in UTF-8.'
        ) from error
    delimiter = max(',;\t', key=head.count)
    names = next(csv.reader([head], delimiter=delimiter), [])
    if not names or len(set(names)) < len(names):
        raise ConversionError(
            f'{path} has the first line {head.strip()!r}: it must name the '
            'columns, each once.'
        )
    return delimiter, names


def open_table(
    path: Path,
    columns: Sequence[str] = (),
    label: str | None = None,
    box_format: str | None = None,
    mend: str = 'correct it, or export it again.',
) -> Table:
    """Finds the columns of a table.

    Args:
        path: The file; its first line names the columns.
        columns: Each ``KEY=COLUMN``, with a key of ``COLUMNS``.
        label: The class of every box, whatever the table says.
        box_format: Of a column that has the whole box.
        mend: See :class:`Table`.

    Raises:
        ConversionError: If a column lacks, or two may be meant.
    """
    delimiter, header = read_header(path, mend)
    found = choose_columns(path, header, columns)
    image = found.get('image', found.get('image_id'))
    kind, sides = box_format, [found.get('bbox')]
    size = [found.get(key) for key in SIDES[2:]]
    if {str(name).strip().lower() for name in size} & set(OF_A_BOX):
        size = [None]
    for name, keys in (('xyxy', CORNERS), ('xywh', SIDES)):
        if all(key in found for key in keys):
            kind, sides = name, [found[key] for key in keys]
            size = size if name == 'xyxy' else [None]
            break
    lacking = 'the image' if image is None else 'the box'
    if image is None or None in sides:
        raise ConversionError(
            f'{path} has no column for {lacking}, but {", ".join(header)}: '
            'its first line must name the columns; say which is which with '
            '--columns image=COLUMN label=COLUMN xmin=COLUMN ...'
        )
    if kind is None:
        raise ConversionError(
            f'{path} has the whole box in the column {sides[0]}: say with '
            '--box-format whether it is xyxy (corners) or xywh (corner, width '
            'and height).'
        )
    labels = [found['label']] if 'label' in found and not label else []
    if not labels and not label:
        raise ConversionError(
            f'{path} has no column for the label, but {", ".join(header)}: '
            'give --columns label=COLUMN, or --label CLASS where all boxes '
            'have one class.'
        )
    chosen = dict(image=[image], label=labels, box=sides)
    if None not in size:
        chosen['size'] = size
    return Table(path, delimiter, chosen, kind, label, mend)


def choose_columns(
    path: Path, header: Sequence[str], columns: Sequence[str]
) -> dict[str, str]:
    """The column of each key of ``COLUMNS`` that a table has."""
    chosen = dict(item.partition('=')[::2] for item in columns)
    for key, column in chosen.items():
        if key not in COLUMNS or column not in header:
            raise ConversionError(
                f'--columns {key}={column}: give KEY=COLUMN, where KEY is one '
                f'of {", ".join(COLUMNS)}, and {path} has the columns '
                f'{", ".join(header)}.'
            )
    for key, usual in COLUMNS.items():
        some = [
            name
            for name in header
            if name.strip().lower() in usual and name not in chosen.values()
        ]
        if key in chosen or not some:
            continue
        if len(some) > 1:
            raise ConversionError(
                f'{path} has the columns {some[0]} and {some[1]}: say which '
                f'one it is with --columns {key}={some[0]}'
            )
        chosen[key] = some[0]
    return chosen


def read_csv_boxes(path: Path, mend: str) -> dict[str, list[Box]]:
    """Boxes by file name, of a table with a line for each box.

    Args:
        path: The file.
        mend: Ends the sentence where it is missing.
    """
    if not path.is_file():
        raise ConversionError(f'{path} is missing: {mend}')
    boxes = {}
    for name, sample in (
        open_table(path, mend='download it again.').samples().items()
    ):
        if isinstance(sample, ConversionError):
            raise sample
        boxes[name] = list(sample.boxes)
    return boxes

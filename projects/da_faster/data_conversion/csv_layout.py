"""The content of a table with a line for each box."""

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

# Usual names of the columns, in lower case.
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
    # Stands for the image only if no other column does: often a number.
    image_id=('image_id', 'imageid'),
)  # fmt: skip
SIDES = ('x', 'y', 'width', 'height')
FORMATS = ('xyxy', 'xywh')
# Columns that always state the size of the box, never of the image.
BOX_SIZES = ('w', 'h', 'bbox_width', 'bbox_height')


class Table(NamedTuple):
    """A table whose columns are known.

    Args:
        path: The file.
        delimiter: The sign between two values.
        columns: Names of the columns for ``image``, ``label``, ``box`` and
            ``size``.
        box_format: One of ``FORMATS``.
        label: The label of every box, where there is no column for it.
        advice: What to do about a broken line; it ends the error.
    """

    path: Path
    delimiter: str
    columns: dict[str, list[str]]
    box_format: str
    label: str | None
    advice: str

    def rows(self) -> Iterator[tuple[int, dict]]:
        """Yields the number of each line and its values by column."""
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
                f'{self.advice}'
            ) from error

    def values(self, row: dict, key: str) -> list[str]:
        """Returns the values of a line in the columns for ``key``."""
        return [row[column].strip() for column in self.columns.get(key, ())]

    def box(self, row: dict) -> Box | None:
        """Reads the box of a line; None where the box is left empty.

        Raises:
            ValueError: If the box is not four numbers, or has no label.
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
        """Reads the image size that a line states; (0, 0) where it has none.

        Raises:
            ValueError: If the size is not two numbers.
        """
        values = self.values(row, 'size')
        if all(value.lower() in ('', 'nan') for value in values):
            return 0, 0
        width, height = map(int, finite(*values))
        return width, height

    def samples(self) -> dict[str, Sample | ConversionError]:
        """Reads all samples, by name of the image, in the order of the table.

        An image with a broken line has an error in the place of a sample. The
        size is (0, 0) where the table states none.
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
                        f'{self.advice}'
                    )
        return found


def read_header(path: Path, advice: str) -> tuple[str, list[str]]:
    """Reads the delimiter of a table and the names of its columns."""
    try:
        with open(path, newline='', encoding='utf-8-sig') as file:
            head = file.readline()
    except FileNotFoundError:
        raise ConversionError(f'{path} is missing: {advice}') from None
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
    advice: str = 'correct it, or export it again.',
) -> Table:
    """Finds the columns of a table.

    Args:
        path: The file; its first line names the columns.
        columns: Each ``KEY=COLUMN``, with a key of ``COLUMNS``.
        label: The label of every box, whatever the table says.
        box_format: Format of a column that holds the whole box.
        advice: See :class:`Table`.

    Raises:
        ConversionError: If a column is missing, or two columns are possible.
    """
    delimiter, header = read_header(path, advice)
    found = choose_columns(path, header, columns)
    image = found.get('image', found.get('image_id'))
    form, sides = box_format, [found.get('bbox')]
    size = [found.get(key) for key in SIDES[2:]]
    if {str(name).strip().lower() for name in size} & set(BOX_SIZES):
        size = [None]
    for name, keys in (('xyxy', CORNERS), ('xywh', SIDES)):
        if all(key in found for key in keys):
            form, sides = name, [found[key] for key in keys]
            size = size if name == 'xyxy' else [None]
            break
    lacking = 'the image' if image is None else 'the box'
    if image is None or None in sides:
        raise ConversionError(
            f'{path} has no column for {lacking}, but {", ".join(header)}: '
            'its first line must name the columns; say which is which with '
            '--columns image=COLUMN label=COLUMN xmin=COLUMN ...'
        )
    if form is None:
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
    return Table(path, delimiter, chosen, form, label, advice)


def choose_columns(
    path: Path, header: Sequence[str], columns: Sequence[str]
) -> dict[str, str]:
    """Chooses the column for each key of ``COLUMNS``.

    Args:
        path: The file.
        header: The columns of the table.
        columns: Each ``KEY=COLUMN``, before the usual names.

    Returns:
        {key: column}, without the keys that the table has no column for.
    """
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


def read_csv_boxes(path: Path, advice: str) -> dict[str, list[Box]]:
    """Reads all boxes of a table, by file name of the image.

    Args:
        path: The file.
        advice: What to do if the file is missing; it ends the error.
    """
    if not path.is_file():
        raise ConversionError(f'{path} is missing: {advice}')
    boxes = {}
    for name, sample in (
        open_table(path, advice='download it again.').samples().items()
    ):
        if isinstance(sample, ConversionError):
            raise sample
        boxes[name] = list(sample.boxes)
    return boxes

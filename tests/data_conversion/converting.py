"""What the tests of the converters share."""

import importlib
import json
from pathlib import Path

import pytest
from PIL import Image

TOOLS = Path(__file__).parents[2] / 'tools' / 'dataset_converters'


def run(name, *args, nproc=1):
    """Runs a converter in this process."""
    importlib.import_module(name).main(
        [str(arg) for arg in args] + ['--nproc', str(nproc)]
    )


def fails(name, *args, nproc=1) -> str:
    """The one sentence that a converter ends with; nothing was written."""
    before = fingerprints()
    with pytest.raises(SystemExit) as error:
        run(name, *args, nproc=nproc)
    message = error.value.code
    assert isinstance(message, str) and '\n' not in message
    assert fingerprints() == before
    return message


def fingerprints() -> dict:
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in sorted(Path('.').rglob('*'))
    }


def write(path, text) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def photo(path, size=(40, 30), mode='RGB', shade=0) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, (20 * shade,) * len(mode)).save(path)
    return path


def load(path) -> dict:
    return json.loads(Path(path).read_text())


def boxes(content, file_name) -> list:
    """(class, x, y, width, height) of an image."""
    ids = {image['file_name']: image['id'] for image in content['images']}
    names = {item['id']: item['name'] for item in content['categories']}
    return [
        (names[item['category_id']], *item['bbox'])
        for item in content['annotations']
        if item['image_id'] == ids[file_name]
    ]


def files(content) -> list:
    return [image['file_name'] for image in content['images']]


def xml(*objects, size=(40, 30)) -> str:
    items = ''.join(
        f'<object><name>{name}</name><pose>Left</pose><truncated>1</truncated>'
        f'<difficult>{difficult}</difficult><bndbox><xmin>{x1}</xmin><ymin>'
        f'{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>'
        for name, x1, y1, x2, y2, difficult in objects
    )
    width, height = size
    return (
        '<annotation><folder>VOC2007</folder><filename>other.jpg'
        f'</filename><size><width>{width}</width><height>{height}</height>'
        f'<depth>3</depth></size><segmented>0</segmented>{items}</annotation>'
    )

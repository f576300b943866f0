"""Helpers for the tests of the converters."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOOLS = Path(__file__).parents[2] / 'tools' / 'dataset_converters'

# Cityscapes
PREFIX = 'instancesonly_filtered_gtFine_'
AACHEN = 'aachen/aachen_000000_000019'
BOCHUM = 'bochum/bochum_000000_000313'
FRANKFURT = 'frankfurt/frankfurt_000000_000294'
BETAS = ('0.005', '0.01', '0.02')

# KITTI
REST = '1.65 1.67 3.64 -0.65 1.71 46.70 -1.59'
KITTI = f"""\
Car 0.00 0 -1.58 5.50 7.25 10.00 20.00 {REST}
Pedestrian 0.00 2 0.21 1.00 2.00 3.00 9.00 {REST}
Person_sitting 0.00 2 0.21 1.00 2.00 3.00 9.00 {REST}
Cyclist 0.00 2 0.21 30.00 2.00 41.00 9.00 {REST}
DontCare -1 -1 -10 3.00 1.00 9.00 4.00 -1 -1 -1 -1000 -1000 -1000 -10
"""


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


def instance_ids(split, scene, *regions, dtype='uint16'):
    """An instanceIds image: road, and (id, left, top, right, bottom)."""
    ids = np.full((30, 40), 7, dtype)
    for number, left, top, right, bottom in regions:
        ids[top:bottom, left:right] = number
    path = Path(f'city/gtFine/{split}/{scene}_gtFine_instanceIds.png')
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(ids).save(path)
    return path


CAR = ('car', 1, 1, 4, 4, 0)


def make_voc(*names):
    """Images below ``mine`` with an xml file and a car each."""
    for name in names:
        photo(f'mine/images/{name}.jpg')
        write(f'mine/annotations/{name}.xml', xml(CAR))


def make_coco(*names, **more) -> Path:
    """An annotation file of images with a car each."""
    content = dict(
        images=[dict(id=i, file_name=n) for i, n in enumerate(names)],
        annotations=[
            dict(id=i + 1, image_id=i, category_id=1, bbox=[1, 2, 3, 4])
            for i in range(len(names))
        ],
        categories=[dict(id=1, name='car')],
    )
    return write('labels.json', dict(content, **more))


def frame(name, time, *labels) -> dict:
    return dict(
        name=name,
        attributes=dict(weather='clear', scene='highway', timeofday=time),
        timestamp=10000,
        labels=[
            dict(
                category=category,
                attributes=dict(occluded=False, truncated=False),
                manualShape=True,
                box2d=dict(zip(('x1', 'y1', 'x2', 'y2'), box)),
                id=i,
            )
            for i, (category, *box) in enumerate(labels)
        ]
        + [
            dict(
                category='lane',
                poly2d=[dict(vertices=[[1, 2], [3, 4]])],
                id=99,
            )
        ],
    )


def coco(**changes) -> dict:
    annotations = [
        dict(id=1, image_id=9, category_id=3, bbox=[1, 2, 3, 4], area=12),
        dict(id=2, image_id=9, category_id=1, bbox=[-5, 5, 10, 10], area=99),
        dict(id=3, image_id=9, category_id=1, bbox=[5, 5, 0, 10], area=0),
        dict(id=4, image_id=9, category_id=1, bbox=[50, 5, 5, 10], area=50),
        dict(id=5, image_id=77, category_id=1, bbox=[5, 5, 5, 5], area=25),
        dict(id=6, image_id=9, category_id=8, bbox=[5, 5, 5, 5], area=25),
        dict(
            id=7,
            image_id=9,
            category_id=1,
            bbox=[5, 5, float('nan'), 5],
            area=25,
        ),
        dict(
            id=8,
            image_id=4,
            category_id=2,
            bbox=[5, 5, 5, 5],
            area=7,
            segmentation=[[5, 5, 9, 9, 5, 9]],
            iscrowd=1,
        ),
    ]
    return dict(
        dict(
            info={},
            images=[
                dict(id=9, file_name='a/x.png', width=40, height=30),
                dict(id=4, file_name='y.png'),
                dict(id=2, file_name='empty.png', width=40, height=30),
            ],
            annotations=annotations,
            categories=[
                dict(id=1, name='cat'),
                dict(id=2, name='dog'),
                dict(id=3, name='auto'),
            ],
        ),
        **changes,
    )

"""Images that EXIF turns: sizes and boxes are those of the turned image."""

import json
from pathlib import Path

import pytest
from PIL import Image

from da_faster.data_conversion import (
    ConversionError,
    coco_subset,
    image_folder,
    voc,
)

XML = """<annotation>{size}<object><name>car</name><bndbox>
<xmin>2</xmin><ymin>31</ymin><xmax>11</xmax><ymax>40</ymax>
</bndbox></object></annotation>"""
SIZE = '<size><width>{}</width><height>{}</height></size>'


@pytest.fixture
def turned(tmp_path, monkeypatch) -> Path:
    """A photograph of 40x30 stored pixels that is shown as 30x40."""
    monkeypatch.chdir(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6
    Path('images').mkdir()
    Image.new('RGB', (40, 30)).save('images/x.jpg', exif=exif)
    return Path('images/x.jpg')


def only_file(written) -> dict:
    (path,) = written
    return json.loads(path.read_text())


def coco(**size) -> str:
    Path('labels.json').write_text(
        json.dumps(
            dict(
                images=[dict(id=1, file_name='x.jpg', **size)],
                categories=[dict(id=1, name='car')],
                annotations=[
                    dict(id=1, image_id=1, category_id=1, bbox=[1, 30, 10, 10])
                ],
            )
        )
    )
    return 'labels.json'


MEND = 'its EXIF orientation turns it .*exiftool -Orientation= FILE'


@pytest.mark.parametrize('size', [dict(width=30, height=40), {}])
def test_coco_of_the_turned_image(turned, size):
    """The box is inside the image, with and without a stated size."""
    content = only_file(coco_subset.convert(coco(**size), 'images', nproc=1))
    (image,), (box,) = content['images'], content['annotations']
    assert (image['width'], image['height']) == (30, 40)
    assert box['bbox'] == [1, 30, 10, 10]


def test_coco_of_the_stored_pixels_is_refused(turned):
    with pytest.raises(ConversionError, match=f'is 30x40, but .* {MEND}'):
        coco_subset.convert(coco(width=40, height=30), 'images', nproc=1)


@pytest.mark.parametrize('size', [SIZE.format(30, 40), SIZE.format(0, 0)])
def test_voc_of_the_turned_image(turned, size):
    Path('images/x.xml').write_text(XML.format(size=size))
    content = only_file(voc.convert('images', classes=['car'], nproc=1))
    assert content['annotations'][0]['bbox'] == [1, 30, 10, 10]


def test_voc_of_the_stored_pixels_is_refused(turned):
    Path('images/x.xml').write_text(XML.format(size=SIZE.format(40, 30)))
    with pytest.raises(ConversionError, match=f'x.xml is for .* {MEND}'):
        voc.convert('images', classes=['car'], nproc=1)


def test_a_folder_of_images(turned):
    (image,) = only_file(image_folder.convert('images', nproc=1))['images']
    assert (image['width'], image['height']) == (30, 40)

"""Sizes of images as MMDetection's loader gives them."""

import pytest
from mmcv.transforms import LoadImageFromFile
from PIL import Image

from da_faster.image_files import advice_on_size, loaded_size, orientation


@pytest.mark.parametrize('orientation', [None, 1, 3, 6, 8])
@pytest.mark.parametrize('suffix', ['jpg', 'png', 'webp', 'tif', 'bmp'])
@pytest.mark.parametrize(
    'how', [{}, dict(color_type='unchanged'), dict(imdecode_backend='pillow')]
)
def test_as_the_loader_gives_it(tmp_path, suffix, orientation, how):
    path = tmp_path / f'x.{suffix}'
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.new('RGB', (40, 30)).save(path, exif=exif)
    loaded = LoadImageFromFile(**how)(dict(img_path=str(path)))['img']
    names = dict(color_type='flag', imdecode_backend='backend')
    with Image.open(path) as image:
        size = loaded_size(
            path, image, **{names[key]: value for key, value in how.items()}
        )
    assert size == loaded.shape[1::-1]
    if suffix == 'jpg' and not how:
        assert size == ((30, 40) if orientation in (6, 8) else (40, 30))


def test_labels_of_an_image_that_is_not_turned(tmp_path):
    """OpenCV leaves a WebP as it is stored; viewers turn the image."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / 'x.webp'
    Image.new('RGB', (40, 30)).save(path, exif=exif)
    assert 'mogrify -auto-orient' in advice_on_size(
        path, (40, 30), (30, 40), 'x'
    )
    assert advice_on_size(path, (40, 30), (50, 60), 'x') == 'x'


def test_labels_of_the_stored_pixels_of_a_tiff(tmp_path):
    """OpenCV turns a TIFF, and Pillow turns image and size."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / 'x.tif'
    Image.new('RGB', (40, 30)).save(path, exif=exif)
    assert 'exiftool' in advice_on_size(path, (30, 40), (40, 30), 'x')


@pytest.mark.filterwarnings('ignore:Truncated File Read')
def test_broken_metadata_that_opencv_obeys(tmp_path):
    """The metadata ends early; Pillow reads no orientation."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / 'x.jpg'
    Image.new('RGB', (40, 30)).save(path, exif=exif.tobytes()[:-6])
    with Image.open(path) as image:
        assert not image.getexif().get(0x0112)
        assert orientation(image) == 0
        assert loaded_size(path, image) == (30, 40)
    assert 'exiftool' in advice_on_size(path, (30, 40), (40, 30), 'x')


def test_an_orientation_that_means_nothing(tmp_path):
    """Cameras write 0 if they do not know the orientation."""
    exif = Image.Exif()
    exif[0x0112] = 0
    path = tmp_path / 'x.jpg'
    Image.new('RGB', (40, 30)).save(path, exif=exif)
    assert advice_on_size(path, (40, 30), (30, 40), 'x') == 'x'

"""Sizes of image files as the training loads them.

MMDetection loads with OpenCV, which turns an image by its EXIF orientation in
some formats and not in others. So whatever has one is decoded to see.
"""

import mmcv
from PIL import Image

ORIENTATION = 0x0112  # EXIF's tag; 1 is upright


def orientation(image: Image.Image) -> int:
    """EXIF's orientation of an open image, 1 to 8; 0 where it is not clear.

    A PNG that was not decoded yet tells what stands before its pixels.
    """
    metadata = image.info.get('exif')
    if image.format == 'PNG' and not metadata:
        return 1  # else Pillow would decode it to look behind them
    try:
        # Of broken metadata OpenCV may read more than Pillow.
        value = image.getexif().get(ORIENTATION, 0 if metadata else 1)
    except (OSError, SyntaxError, ValueError):
        return 0
    return value if value in range(1, 9) else 0


def is_deep(image: Image.Image) -> bool:
    """Whether an image has more than 8 bits a sample, opened and not loaded.

    Of JPEG 2000 in colour, PPM and TIFF in planes Pillow does not tell it.
    """
    if image.format == 'BMP':  # 16 bits are a whole pixel
        return False
    stored = str([tile[3] for tile in image.tile])  # Pillow's raw mode
    return image.mode[0] in 'IF' or ';16' in stored


def loaded_size(
    path: str, image: Image.Image, flag: str = 'color', backend: str = 'cv2'
) -> tuple[int, int]:
    """Width and height of an image as MMDetection loads it.

    Args:
        path: The file.
        image: The same, opened with Pillow.
        flag: ``color_type`` of LoadImageFromFile.
        backend: Its ``imdecode_backend``.
    """
    if orientation(image) == 1:
        return image.size
    loaded = mmcv.imread(str(path), flag, backend=backend)
    return image.size if loaded is None else loaded.shape[1::-1]


def stored_size(image: Image.Image) -> tuple[int, int]:
    """Width and height of the pixels as they are stored, in an open image.

    Pillow turns the size of a TIFF by itself, and that of nothing else.
    """
    if image.format == 'TIFF':
        return image.tag_v2[256], image.tag_v2[257]
    return image.size


def mend_size(
    path: str, size: tuple[int, int], stated: tuple[int, int], mend: str
) -> str:
    """What to do where an image has another size than its labels say.

    Args:
        path: The image.
        size: Width and height as it is loaded.
        stated: Those of its labels.
        mend: What to do where no EXIF orientation explains it.
    """
    if size != tuple(stated)[::-1]:
        return mend
    with Image.open(path) as image:
        if stored_size(image) == tuple(stated):
            return (
                'its EXIF orientation turns it when it is loaded, and the '
                'labels are of the pixels as they are stored; take the '
                'orientation out of such files (exiftool -Orientation= FILE), '
                'or label the turned images'
            )
        if orientation(image) < 2:
            return mend
    return (
        'the labels are of the image as its EXIF orientation turns it, which '
        'the training does not obey in this format; turn the pixels of such '
        'files (mogrify -auto-orient FILE)'
    )

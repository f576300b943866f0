"""Sizes of image files as the training loads them.

MMDetection loads images with OpenCV. OpenCV obeys the EXIF orientation in some
formats and not in others. So an image with an EXIF orientation is decoded to
measure it.
"""

import mmcv
from PIL import Image

ORIENTATION = 0x0112  # EXIF's tag; 1 is upright


def orientation(image: Image.Image) -> int:
    """Returns the EXIF orientation of an open image, 1 to 8, or 0 if unclear.

    In a PNG that is not decoded yet, only the metadata before the pixels
    counts.
    """
    metadata = image.info.get('exif')
    if image.format == 'PNG' and not metadata:
        return 1  # getexif would decode the image to read behind the pixels
    try:
        # OpenCV may read more of broken metadata than Pillow does.
        value = image.getexif().get(ORIENTATION, 0 if metadata else 1)
    except (OSError, SyntaxError, ValueError):
        return 0
    return value if value in range(1, 9) else 0


def is_deep(image: Image.Image) -> bool:
    """Whether an open image, not loaded yet, has more than 8 bits a sample.

    Pillow does not say so for JPEG 2000 in colour, PPM and TIFF in planes:
    False.
    """
    if image.format == 'BMP':  # its 16 bits are a whole pixel
        return False
    stored = str([tile[3] for tile in image.tile])  # Pillow's raw mode
    return image.mode[0] in 'IF' or ';16' in stored


def loaded_size(
    path: str, image: Image.Image, flag: str = 'color', backend: str = 'cv2'
) -> tuple[int, int]:
    """Returns width and height of an image as MMDetection loads it.

    Args:
        path: The image file.
        image: The same file, opened with Pillow.
        flag: ``color_type`` of LoadImageFromFile.
        backend: ``imdecode_backend`` of LoadImageFromFile.
    """
    if orientation(image) == 1:
        return image.size
    loaded = mmcv.imread(str(path), flag, backend=backend)
    return image.size if loaded is None else loaded.shape[1::-1]


def stored_size(image: Image.Image) -> tuple[int, int]:
    """Returns width and height of an open image before any turning.

    Pillow itself turns the size of a TIFF, and of no other format.
    """
    if image.format == 'TIFF':
        return image.tag_v2[256], image.tag_v2[257]
    return image.size


def advice_on_size(
    path: str, size: tuple[int, int], stated: tuple[int, int], advice: str
) -> str:
    """Says what to do about an image of another size than its labels state.

    Args:
        path: The image file.
        size: Width and height of the image as it is loaded.
        stated: Width and height that the labels state.
        advice: The advice where no EXIF orientation explains the difference.
    """
    if size != tuple(stated)[::-1]:
        return advice
    with Image.open(path) as image:
        if stored_size(image) == tuple(stated):
            return (
                'its EXIF orientation turns it when it is loaded, and the '
                'labels are of the pixels as they are stored; take the '
                'orientation out of such files (exiftool -Orientation= FILE), '
                'or label the turned images'
            )
        if orientation(image) < 2:
            return advice
    return (
        'the labels are of the image as its EXIF orientation turns it, which '
        'the training does not obey in this format; turn the pixels of such '
        'files (mogrify -auto-orient FILE)'
    )

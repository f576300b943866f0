"""Reading of text, json and image files."""

import json
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from da_faster.data_conversion.samples import ConversionError, Sample
from da_faster.image_files import advice_on_size, loaded_size


def read_lines(path: Path, advice: str) -> list[str]:
    """Reads the lines of a text file.

    Args:
        path: The file.
        advice: What to do if the file cannot be read; it ends the error.
    """
    try:
        return path.read_text(encoding='utf-8-sig').splitlines()
    except FileNotFoundError:
        raise ConversionError(f'{path} is missing: {advice}') from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConversionError(
            f'{path} is not a text file ({error}): {advice}'
        ) from error


def read_json(path: Path, keys: Mapping[str, str] | None = None):
    """Reads a json file.

    Args:
        path: The file.
        keys: New names of keys by their names in the file.
    """

    def rename(item: dict) -> dict:
        return {keys.get(key, key): value for key, value in item.items()}

    try:
        with open(path, encoding='utf-8-sig') as file:
            return json.load(file, object_hook=rename if keys else None)
    except FileNotFoundError:
        raise ConversionError(f'{path} is missing: check the path.') from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConversionError(
            f'{path} is not whole json ({error}): download or export it again.'
        ) from error


def image_size(path: Path) -> tuple[int, int]:
    """Returns width and height of an image as the training loads it.

    The image is decoded to its last line, so a broken file is found.

    Raises:
        ConversionError: If the image is missing or broken.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return loaded_size(path, image)
    except FileNotFoundError:
        raise ConversionError(
            f'{path} is missing: complete the download of the dataset.'
        ) from None
    except Image.DecompressionBombError as error:
        raise ConversionError(
            f'{path} is too large ({error}): cut it into tiles.'
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ConversionError(
            f'{path} is not a readable image ({error}): download it again.'
        ) from error


def with_image_size(sample: Sample | ConversionError, images: Path) -> Sample:
    """Returns a sample with the size of its image.

    Args:
        sample: A sample; its size is (0, 0) where the labels state none. An
            error is raised.
        images: The folder of the images.

    Raises:
        ConversionError: If the image is missing or broken, or has another size
            than the labels state.
    """
    if isinstance(sample, ConversionError):
        raise sample
    size = image_size(images / sample.file_name)
    if sample.size not in (size, (0, 0)):
        path = images / sample.file_name
        advice = 'give the images that were labelled'
        raise ConversionError(
            f'{path} is {size[0]}x{size[1]}, but its annotations are for '
            f'{sample.size[0]}x{sample.size[1]}: '
            f'{advice_on_size(path, size, sample.size, advice)}.'
        )
    return sample._replace(size=size)

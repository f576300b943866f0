"""Reading text, json and image files."""

import json
from pathlib import Path

from PIL import Image

from da_faster.data_conversion.samples import ConversionError
from da_faster.image_files import loaded_size


def read_lines(path: Path, mend: str) -> list[str]:
    """Lines of a text file; ``mend`` ends the sentence of an error."""
    try:
        return path.read_text(encoding='utf-8-sig').splitlines()
    except FileNotFoundError:
        raise ConversionError(f'{path} is missing: {mend}') from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConversionError(
            f'{path} is not a text file ({error}): {mend}'
        ) from error


def read_json(path: Path):
    """Content of a json file."""
    try:
        with open(path, encoding='utf-8-sig') as file:
            return json.load(file)
    except FileNotFoundError:
        raise ConversionError(f'{path} is missing: check the path.') from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConversionError(
            f'{path} is not whole json ({error}): download or export it again.'
        ) from error


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of an image that was decoded to its last line.

    They are those of the image as the training loads it: turned by its EXIF
    orientation.
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

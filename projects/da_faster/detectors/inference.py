"""Detection of objects in images, by an opened detector."""

import numpy as np
from mmdet.apis import inference_detector
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import nn

from da_faster.errors import UserError, describe_error


def detect(
    model: nn.Module, image: str | np.ndarray, name: str | None = None
) -> InstanceData:
    """Detects objects in an image file, or in an image.

    Args:
        model (nn.Module): An opened detector.
        image (str or ndarray): A file, or (H, W, 3), BGR, uint8.
        name (str, optional): The name of an ndarray, for messages.

    Returns:
        InstanceData: ``bboxes`` (n, 4), corners in pixels of the image,
        ``scores`` and ``labels`` (n,), on the CPU.

    Raises:
        UserError: If the file cannot be read, or the detector finds no boxes.
    """
    found = predict_sample(model, image, name)
    if 'pred_instances' not in found:
        raise UserError(
            f'{type(model).__name__} predicts no boxes: take a detector that '
            'finds boxes.'
        )
    return found.pred_instances.cpu()


def predict_sample(
    model: nn.Module, image: str | np.ndarray, name: str | None = None
) -> DetDataSample:
    """Predicts for an image, and returns the whole sample.

    Args:
        model (nn.Module): An opened detector.
        image (str or ndarray): A file, or (H, W, 3), BGR, uint8.
        name (str, optional): The name of an ndarray, for messages.

    Returns:
        DetDataSample: Detections in pixels of the image, and how the image
        was brought to size.

    Raises:
        UserError: If the file cannot be read.
    """
    try:
        return inference_detector(model, image)
    except Exception as error:
        raise UserError(
            f'{name or image} could not be looked at '
            f'({describe_error(error)}); repair it, or take it out of its '
            'folder.'
        ) from error


def check_detections(model: nn.Module, image: str, config: str) -> None:
    """Tries a detector on one image, before there is more work.

    Args:
        model (nn.Module): An opened detector.
        image (str): A file.
        config (str): The config of the detector, for messages.

    Raises:
        UserError: If the detector fails on the image, or finds no boxes of
            classes.
    """
    try:
        found = detect(model, image)
    except UserError as error:
        cause = error.__cause__
        if cause is None:
            raise UserError(f'{config}: {error}') from error
        raise UserError(
            f'{config} cannot look at {image} ({describe_error(cause)}): it '
            'takes an image that opens, and a detector that needs nothing '
            'else.'
        ) from cause
    missing = {'bboxes', 'scores', 'labels'}.difference(found.keys())
    if missing:
        raise UserError(
            f'{config} predicts no {", ".join(sorted(missing))}: it takes a '
            'detector that finds boxes.'
        )

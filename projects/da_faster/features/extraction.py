"""Features of images and of detected boxes, as a detector's heads read them.

Shapes: L maps of (1, C_l, H_l, W_l), R boxes, D channels of a box's vector.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from mmcv.ops import roi_align
from mmdet.models.roi_heads.bbox_heads import BBoxHead, ConvFCBBoxHead
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from torch import Tensor, nn

from da_faster.config_tree import box_head, last_stage
from da_faster.detectors import predict_sample

CELLS = 7  # a box is pooled to CELLS x CELLS cells


class Features(NamedTuple):
    """Features of the images of a domain.

    Attributes:
        images: Image vectors, (N, sum of C_l).
        boxes: Box vectors, (R, D).
        box_images: Image of each box, int, (R,).
        labels: Class of each box, int, (R,).
    """

    images: np.ndarray
    boxes: np.ndarray
    box_images: np.ndarray
    labels: np.ndarray


@contextmanager
def captured(module: nn.Module, outputs: bool) -> Iterator[list]:
    """Captures the last output, or first input, of a module.

    Args:
        module (nn.Module): The module.
        outputs (bool): Whether to capture the output; if not, the first
            positional input.

    Yields:
        list: A list that holds the captured value after a forward pass.
    """
    last: list = []

    def capture(_, args: tuple, result) -> None:
        last[:] = [result if outputs else args[0]]

    handle = module.register_forward_hook(capture)
    try:
        yield last
    finally:
        handle.remove()


def vector_head(model: nn.Module) -> nn.Module | None:
    """The last head that classifies a RoI by one vector; None without one."""
    head = box_head(model)
    # Other heads, such as Sparse R-CNN's, read more than the RoI.
    usual = isinstance(head, ConvFCBBoxHead) or type(head) is BBoxHead
    return head if usual else None


def image_vector(maps: Sequence[Tensor], sample: DetDataSample) -> Tensor:
    """Means of all maps over the cells that show the image.

    Returns:
        Tensor: (sum of C_l,).
    """
    height, width = sample.img_shape[:2]
    padded = sample.metainfo.get('batch_input_shape', (height, width))
    means = []
    for x in maps:
        # Rounded up, as the domain classifier counts cells.
        rows = -(-x.shape[-2] * height // padded[0])
        cols = -(-x.shape[-1] * width // padded[1])
        means.append(x[0, :, :rows, :cols].mean(dim=(1, 2)))
    return torch.cat(means)


def box_vectors(
    model: nn.Module,
    maps: Sequence[Tensor],
    boxes: Tensor,
    padded: tuple[int, int],
) -> Tensor:
    """Computes the vector of each box that the box classifier reads.

    Args:
        model (nn.Module): The detector.
        maps (sequence of Tensor): The L feature maps.
        boxes (Tensor): (R, 4), corners in pixels of the detector's input.
        padded (tuple[int, int]): Height and width of that input.

    Returns:
        Tensor: (R, D). If the detector has no box head, the means of all maps
        inside each box, (R, sum of C_l).
    """
    rois = bbox2roi([boxes])
    head = vector_head(model)
    if head is None:
        # roi_align assumes contiguous memory.
        pooled = [
            roi_align(
                x.contiguous(), rois, CELLS, x.shape[-2] / padded[0], 0, 'avg',
                True,
            )
            for x in maps
        ]  # fmt: skip
        return torch.cat([x.mean(dim=(2, 3)) for x in pooled], dim=1)
    extractor = last_stage(model.roi_head.bbox_roi_extractor)
    pooled = extractor(tuple(maps[: extractor.num_inputs]), rois)
    if model.roi_head.with_shared_head:
        pooled = model.roi_head.shared_head(pooled)
    with captured(head.fc_cls, outputs=False) as inputs:
        head(pooled)
    return inputs[0].flatten(1)


@torch.no_grad()
def features_of(model: nn.Module, image: str, boxes: int) -> tuple:
    """Extracts the features of an image.

    Args:
        model (nn.Module): A detector of MMDetection in eval mode.
        image (str): Path of the image.
        boxes (int): Maximum number of boxes, those with the highest scores.

    Returns:
        tuple: Image vector (sum of C_l,), box vectors (R, D) and labels (R,).

    Raises:
        UserError: If the image cannot be read.
    """
    # The output of extract_feat, which a domain classifier reads, too.
    last = model.neck if model.with_neck else model.backbone
    with captured(last, outputs=True) as output:
        sample = predict_sample(model, image)
    maps = output[0]
    found = sample.pred_instances
    best = found[found.scores.argsort(descending=True)[:boxes]]
    scale = best.bboxes.new_tensor(
        sample.metainfo.get('scale_factor', (1.0, 1.0))
    ).repeat(2)
    vectors = box_vectors(
        model,
        maps,
        best.bboxes * scale,
        sample.metainfo.get('batch_input_shape', sample.img_shape[:2]),
    )
    return (
        image_vector(maps, sample).cpu().numpy(),
        vectors.cpu().numpy(),
        best.labels.cpu().numpy(),
    )


def gather(found: Sequence[tuple]) -> Features:
    """Joins the results of :func:`features_of` of several images."""
    images, boxes, labels = zip(*found)
    return Features(
        np.stack(images),
        np.concatenate(boxes),
        np.repeat(np.arange(len(boxes)), [len(b) for b in boxes]),
        np.concatenate(labels),
    )

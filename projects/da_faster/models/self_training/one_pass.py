"""One pass of a detector for images that two losses look at."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def one_pass(detector: nn.Module, images: Tensor) -> Iterator[None]:
    """Has a detector look once at images that it is given twice.

    First they are the end of a larger batch, as where the domain classifiers
    see both domains, then a batch of their own. Batch norms that learn their
    statistics compute something else in each of the two. With such ones
    nothing is changed.

    Args:
        detector (nn.Module): Its ``extract_feat`` is as before afterwards.
        images (Tensor): (N, 3, H, W).
    """
    if any(
        isinstance(m, _BatchNorm) and m.training for m in detector.modules()
    ):
        yield
        return
    extract = detector.extract_feat
    known = []

    def extract_feat(batch: Tensor) -> tuple[Tensor]:
        if batch is images and known:
            return known[0]
        features = extract(batch)
        if len(batch) > len(images):
            known[:] = [tuple(x[-len(images) :] for x in features)]
        return features

    before = vars(detector).get('extract_feat')
    detector.extract_feat = extract_feat
    try:
        yield
    finally:
        del detector.extract_feat
        if before:
            detector.extract_feat = before

"""Weights between a detector as it came and its adaptation."""

from pathlib import Path

from torch import Tensor

from da_faster.checkpoint_conversion.files import read
from da_faster.engine.checkpoints.loading import allow_list
from da_faster.errors import UserError


def blended(
    start: Path, share: float, adapted: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Goes a part of the way from the weights as they came to the adapted.

    (1 - share) * start + share * adapted, WiSE-FT (Wortsman et al., CVPR 2022,
    section 3). The average loses less where the adaptation went wrong, and
    where it went well little of the gain.

    Args:
        start (Path): Checkpoint of the detector as it came.
        share (float): Of the adapted weights, 0 to 1.
        adapted (dict[str, Tensor]): Weights of the same names and shapes.

    Returns:
        dict[str, Tensor]: Of the precision of ``adapted``. Integers, such as
        counts of batches, are those of ``adapted``.
    """
    came = read(start, allow=allow_list())['state_dict']
    return {
        name: came[name].to(value.dtype).lerp(value, share)
        if value.is_floating_point()
        else value
        for name, value in adapted.items()
    }


def need_share(blend, file: Path | str) -> None:
    """Raises a UserError if a share is not a number between 0 and 1."""
    if not isinstance(blend, (int, float)) or not 0 <= blend <= 1:
        raise UserError(
            f'{file}: blend must lie between 0 and 1, got {blend}.'
        )

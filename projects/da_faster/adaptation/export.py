"""From a trained adaptation to a detector of stock MMDetection."""

import copy
from pathlib import Path

from mmengine.config import Config
from torch import Tensor

from da_faster.config_tree import unwrapped_datasets
from da_faster.detectors import Detector, to_stock_config
from da_faster.engine.checkpoints.loading import allow_list
from da_faster.engine.checkpoints.reading import read_checkpoint
from da_faster.errors import UserError

from .loaders import measured_pipeline
from .settings import checked_blend
from .work_dir import WorkDir


def export(original: Detector, config: Config, work_dir: WorkDir) -> None:
    """Writes ``adapted.pth`` and ``adapted.py``.

    Args:
        original (Detector): The detector before the adaptation, ``start.py``
            and ``start.pth``.
        config (Config): The config that was trained.
        work_dir (WorkDir): The folder of the training.

    Raises:
        UserError: If the training left no checkpoint.
    """
    last = work_dir.last_checkpoint
    if last is None:
        raise UserError(
            f'{work_dir.folder} has no checkpoint of the training: leave '
            'default_hooks.checkpoint.save_last as it was.'
        )
    trained = Detector(as_adapted(original, config), last, original.name)
    adapted = trained.as_stock()
    share = checked_blend(config, work_dir.config)
    adapted.state = blended(work_dir.start, share, adapted.state)
    adapted.write(work_dir.adapted, force=True)


def as_adapted(original: Detector, config: Config) -> Config:
    """Makes the stock config of the adapted detector.

    Options and edits may change more of a detector than its weights: the mean
    of the pixels, a threshold of the test, the size of an image.

    Args:
        original (Detector): The detector before the adaptation.
        config (Config): The config of the adaptation.
    """
    cfg = copy.deepcopy(original.stock)
    cfg.model = to_stock_config(config).cfg.model
    steps = config.test_dataloader.dataset.pipeline
    if steps != measured_pipeline(original):
        for dataset in unwrapped_datasets(cfg.test_dataloader):
            dataset.pipeline = steps
    return cfg


def blended(
    start: Path, share: float, adapted: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Averages the original weights and the adapted ones.

    The mean is (1 - share) * start + share * adapted: WiSE-FT (Wortsman et
    al., CVPR 2022, section 3). It loses less where the adaptation went wrong,
    and gives up little of the gain where the adaptation went well.

    Args:
        start (Path): The checkpoint of the original detector.
        share (float): The weight of ``adapted``, 0 to 1.
        adapted (dict[str, Tensor]): Weights of the same names and shapes.

    Returns:
        dict[str, Tensor]: Weights of the precision of ``adapted``. Integers,
        such as counts of batches, are those of ``adapted``.
    """
    before = read_checkpoint(start, allow=allow_list())['state_dict']
    return {
        name: before[name].to(value.dtype).lerp(value, share)
        if value.is_floating_point()
        else value
        for name, value in adapted.items()
    }

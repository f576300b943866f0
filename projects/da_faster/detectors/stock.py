"""A detector of stock MMDetection, in memory.

MMDetection loads and trains it where da_faster is not installed, with the same
predictions. It has no domain classifiers, optimizer, schedulers and logs.
"""

import copy
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from mmdet.evaluation import get_classes
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.model.utils import revert_sync_batchnorm
from torch import Tensor, nn

from da_faster.config_files import enter_scope
from da_faster.engine.checkpoints.reading import check_weights
from da_faster.engine.checkpoints.writing import write_together
from da_faster.errors import UserError, describe_error


@dataclass
class StockDetector:
    """The config and the weights of a detector of stock MMDetection.

    Attributes:
        name (str): The config that it was made from, for messages.
        config (Config): A config of classes of OpenMMLab alone.
        state (dict[str, Tensor]): The weights.
        meta (dict): The ``meta`` of the checkpoint: class names, iteration.
        changes (list[str]): What was replaced or left out, in words.
    """

    name: str
    config: Config
    state: dict[str, Tensor]
    meta: dict
    changes: list[str]

    def open(self) -> nn.Module:
        """Builds the detector to detect, on the accelerator if there is one.

        Raises:
            UserError: If the detector cannot be built.
        """
        model = revert_sync_batchnorm(build_model(self.config, self.name))
        model.load_state_dict(self.state, strict=True)
        model.cfg = copy.deepcopy(self.config)  # MMDetection writes into it
        model.dataset_meta = self.dataset_meta()
        device = 'cuda:0' if torch.cuda.is_available() else 'cpu'
        return model.to(device).eval()

    def dataset_meta(self) -> dict:
        """The class names, by the rules of MMDetection's ``init_detector``."""
        known = self.meta.get('dataset_meta')
        if known is not None:
            return {key.lower(): value for key, value in known.items()}
        return dict(classes=self.meta.get('CLASSES') or get_classes('coco'))

    def write(self, out: Path, force: bool = False) -> None:
        """Writes the checkpoint, and the config beside it: both, or none.

        Args:
            out (Path): ``OUT.pth``. The config becomes ``OUT.py``.
            force (bool): Replace what exists.

        Raises:
            UserError: If a file exists, or cannot be written.
        """
        # DetInferencer takes the config from the weights if it is given none.
        text = self.config.pretty_text
        content = dict(state_dict=self.state, meta=dict(self.meta, cfg=text))
        write_together(
            {
                out: lambda path: torch.save(content, path),
                out.with_suffix('.py'): lambda path: path.write_text(text),
            },
            force,
        )


def build_model(config: Config, name: str) -> nn.Module:
    """Builds the model of a config.

    Raises:
        UserError: If the model cannot be built.
    """
    enter_scope(config)
    try:
        # Some detectors write into their config.
        return MODELS.build(copy.deepcopy(config.model))
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f'{name}: its model cannot be built ({describe_error(error)}): '
            'mend its config, or install what it needs.'
        ) from error


def stock_state(
    checkpoint: dict,
    stock: dict[str, Tensor],
    dropped_parts: set[str],
    path: Path | str,
    branch: str = '',
) -> dict[str, Tensor]:
    """Picks the stock detector's weights from a checkpoint.

    Args:
        checkpoint: The content of the file.
        stock: The state of the stock model.
        dropped_parts: Parts of the model whose weights are left out.
        path: The file, for messages.
        branch: The prefix of the weights to take. If no weight has it, all
            are taken.

    Raises:
        UserError: If a weight is missing, unknown or of another shape.
    """
    state = checkpoint.get('state_dict', checkpoint)
    # MMEngine, too, drops the prefix of a wrapped model.
    state = {re.sub(r'^module\.', '', name): x for name, x in state.items()}
    state = {
        name.removeprefix(branch): x
        for name, x in state.items()
        if name.startswith(branch)
    } or state
    state = {
        name: x
        for name, x in state.items()
        if name in stock or name.split('.')[0] not in dropped_parts
    }
    wrong = [
        name
        for name, x in state.items()
        if name in stock
        and (not isinstance(x, Tensor) or x.shape != stock[name].shape)
    ]
    check_weights(path, state, stock, wrong)
    return state

"""The model that a hook looks at."""

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn


def unwrapped(runner: Runner) -> nn.Module:
    """The model of a runner, out of the wrapper of distributed training."""
    model = runner.model
    return model.module if is_model_wrapper(model) else model

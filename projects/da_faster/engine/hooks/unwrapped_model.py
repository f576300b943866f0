"""Access to the model of a runner, for hooks."""

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn


def unwrapped_model(runner: Runner) -> nn.Module:
    """The model of a runner, without the wrapper of distributed training."""
    model = runner.model
    return model.module if is_model_wrapper(model) else model

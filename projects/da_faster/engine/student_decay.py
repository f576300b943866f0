"""Learning rates by layer for the student of a MeanTeacher."""

from mmdet.engine.optimizers import LearningRateDecayOptimizerConstructor
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class StudentDecayConstructor(LearningRateDecayOptimizerConstructor):
    """LearningRateDecayOptimizerConstructor for a MeanTeacher.

    MMDetection's constructor knows the layers of ConvNeXt by their names in a
    detector. So it gets the student alone, which is the part that is trained.
    """

    def add_params(
        self, params: list[dict], module: nn.Module, **kwargs
    ) -> None:
        super().add_params(params, module.student, **kwargs)

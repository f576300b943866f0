"""Learning rates by layer, of a student and a teacher."""

from mmdet.engine.optimizers import LearningRateDecayOptimizerConstructor
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class StudentDecayConstructor(LearningRateDecayOptimizerConstructor):
    """LearningRateDecayOptimizerConstructor for a MeanTeacher.

    MMDetection's knows the layers of ConvNeXt by their names in a detector, so
    it is shown the student, the part that is trained.
    """

    def add_params(
        self, params: list[dict], module: nn.Module, **kwargs
    ) -> None:
        super().add_params(params, module.student, **kwargs)

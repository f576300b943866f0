"""Learning rates by layer, for the student alone."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

import da_faster  # noqa: F401


class ConvNeXt(nn.Module):
    """A backbone that has a first and a last layer only."""

    def __init__(self) -> None:
        super().__init__()
        self.downsample_layers = nn.ModuleList([nn.Linear(1, 1)])
        self.norm3 = nn.Linear(1, 1)


class Pair(nn.Module):
    """A student that trains and a teacher that does not."""

    def __init__(self) -> None:
        super().__init__()
        for name in ('student', 'teacher'):
            detector = nn.Module()
            detector.backbone = ConvNeXt()
            setattr(self, name, detector)
        self.teacher.requires_grad_(False)


def test_the_student_s_first_layers_learn_slower():
    model = Pair()
    wrapper = build_optim_wrapper(
        model,
        dict(
            constructor='StudentDecayConstructor',
            optimizer=dict(type='AdamW', lr=1.0, weight_decay=0.1),
            paramwise_cfg=dict(
                decay_rate=0.5, decay_type='layer_wise', num_layers=6
            ),
        ),
    )
    rates = {
        id(weight): group['lr']
        for group in wrapper.optimizer.param_groups
        for weight in group['params']
    }
    backbone = model.student.backbone
    assert len(rates) == 4
    assert rates[id(backbone.norm3.weight)] == 1
    # The first of 6 + 2 layers.
    first = backbone.downsample_layers[0].weight
    assert rates[id(first)] == pytest.approx(0.5**7)
    assert isinstance(wrapper.optimizer, torch.optim.AdamW)

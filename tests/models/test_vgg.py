"""VGG in the two parts of a Faster R-CNN, with torchvision's weights."""

import torch
from mmcv.cnn import VGG as Classifier
from mmdet.registry import MODELS
from torch import nn

import da_faster.models  # noqa: F401


def build(kind: str, **kwargs) -> nn.Module:
    module = MODELS.build(dict(type=kind, **kwargs))
    module.init_weights()
    return module


def test_features_have_stride_16_and_no_last_pooling():
    vgg = build('VGG', depth=11)
    (level,) = vgg(torch.rand(2, 3, 64, 96))
    assert level.shape == (2, 512, 4, 6)


def test_conv1_and_conv2_are_frozen_from_the_start():
    vgg = build('VGG', depth=16)
    frozen = {n for n, p in vgg.named_parameters() if not p.requires_grad}
    # Convolutions 0, 2 and 5, 7 of torchvision's numbering.
    assert frozen == {
        f'features.{i}.{p}' for i in (0, 2, 5, 7) for p in ('weight', 'bias')
    }


def test_weights_of_an_image_classifier_fit_both_parts(tmp_path):
    """A VGG with torchvision's names, and small fully connected layers."""
    torch.manual_seed(0)
    whole = Classifier(16)
    whole.num_classes = 2
    whole.classifier = nn.Sequential(
        nn.Linear(512, 12),
        nn.ReLU(True),
        nn.Dropout(),
        nn.Linear(12, 12),
        nn.ReLU(True),
        nn.Dropout(),
        nn.Linear(12, 2),
    ).eval()
    # The names of torchvision/models/vgg.py, cfg 'D'.
    convs = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    names = [f'features.{i}' for i in convs]
    names += [f'classifier.{i}' for i in (0, 3, 6)]
    assert set(whole.state_dict()) == {
        f'{n}.{p}' for n in names for p in ('weight', 'bias')
    }
    path = str(tmp_path / 'vgg16.pth')
    torch.save(whole.state_dict(), path)

    pretrained = dict(type='Pretrained', checkpoint=path)
    features = build('VGG', init_cfg=pretrained)
    fcs = build(
        'VGGFCLayers',
        in_features=512,
        feat_channels=12,
        init_cfg=dict(prefix='classifier.', **pretrained),
    ).eval()
    image = torch.rand(1, 3, 32, 32)
    expected = whole(image)[-1]
    last_pool = nn.MaxPool2d(2)
    vector = fcs(last_pool(features(image)[0]))
    assert vector.shape == (1, 12)
    assert torch.equal(whole.classifier[6](vector), expected)


def test_dropout_acts_in_training_only():
    fcs = build('VGGFCLayers', in_features=8, feat_channels=64)
    nn.init.constant_(fcs[3].bias, 1.0)
    x = torch.rand(4, 2, 2, 2)
    assert 0 < (fcs.train()(x) == 0).float().mean() < 1
    assert (fcs.eval()(x) > 0).all()

"""What an adaptation takes from a config, and what it makes of it."""

import copy

import pytest
from mmengine.config import Config

from da_faster.adaptation import adapt_config, derive
from da_faster.adaptation.settings import views
from da_faster.errors import UserError


@pytest.fixture
def read(user_config):
    """The config of one of MMDetection's detectors, on tiny data."""
    return lambda name: Config.fromfile(user_config(name)[0])


def types(steps) -> list[str]:
    return [step['type'] for step in steps]


def test_a_two_stage_detector(read):
    found = derive(read('FasterRCNN'))
    assert found.classes == ('box',)
    assert not found.sigmoid
    assert found.scores == (0.5, 0.3)
    # A tenth of 0.02, for 2 of 16 images.
    assert found.lr == pytest.approx(0.00025)
    assert found.batch_size == 2
    assert types(found.geometry) == ['LoadImageFromFile', 'Resize']
    assert found.flip == dict(type='RandomFlip', prob=0.5)


def test_a_dense_detector(read):
    found = derive(read('RTMDet'))
    assert found.sigmoid
    assert found.scores == (0.4, 0.2)
    # A tenth of 0.004: steps of AdamW do not depend on the batch.
    assert found.lr == pytest.approx(0.0004)


@pytest.mark.parametrize(
    'name, sigmoid',
    [('CascadeRCNN', False), ('FCOS', True), ('YOLOX', True), ('DETR', False)],
)
def test_the_kind_of_scores(name, sigmoid, read):
    assert derive(read(name)).sigmoid == sigmoid


def test_padding_comes_after_the_flip(read):
    steps = types(views(derive(read('YOLOX'))))
    assert steps[0] == 'LoadImageFromFile'
    assert steps.index('RandomFlip') < steps.index('Pad')
    assert steps[-1] == 'MultiBranch'


def test_a_long_training_has_a_slow_teacher(read, tiny_data):
    cfg = read('FasterRCNN')
    target = str(tiny_data / 'target')
    for iters, momentum in ((100, 0.01), (5000, 0.002), (90000, 0.0004)):
        new = adapt_config(cfg, target, load_from='x.pth', iters=iters)
        assert new.custom_hooks[-1]['momentum'] == pytest.approx(momentum)


def test_hooks_that_count_epochs_are_left_out(read, tiny_data):
    cfg = read('YOLOX')
    own = [hook['type'] for hook in cfg.custom_hooks]
    assert {'YOLOXModeSwitchHook', 'SyncNormHook', 'EMAHook'} <= set(own)
    cfg.custom_hooks.append(dict(type='NumClassCheckHook'))
    new = adapt_config(cfg, str(tiny_data / 'target'), load_from='x.pth')
    assert types(new.custom_hooks) == ['NumClassCheckHook', 'SelfTrainingHook']


def test_no_weights_are_downloaded(read, tiny_data):
    cfg = read('FasterRCNN')
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='x://y')
    new = adapt_config(cfg, str(tiny_data / 'target'), load_from='x.pth')
    assert new.model.detector.backbone.init_cfg is None
    assert cfg.model.backbone.init_cfg


def test_labelled_images_share_the_batches(read, tiny_data):
    cfg = read('FasterRCNN')
    new = adapt_config(
        cfg,
        str(tiny_data / 'target'),
        source=True,
        target_labels='few.json',
    )
    loader = new.train_dataloader
    assert loader.sampler == dict(
        type='MultiSourceSampler', batch_size=2, source_ratio=[1, 1]
    )
    own, few = loader.dataset.datasets
    assert own.ann_file == cfg.train_dataloader.dataset.ann_file
    assert few.ann_file == 'few.json'
    assert 'TargetStyle' in types(own.pipeline)
    assert 'TargetStyle' not in types(few.pipeline)


def test_a_few_labels_can_stand_for_the_source(read, tiny_data):
    new = adapt_config(
        read('FasterRCNN'), str(tiny_data / 'target'), target_labels='few.json'
    )
    assert new.train_cfg.type == 'DALoop'
    assert new.train_dataloader.dataset.ann_file == 'few.json'


def drop_pipeline(cfg) -> None:
    del cfg.test_dataloader.dataset['pipeline']


def drop_classes(cfg) -> None:
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.dataset.type = 'BaseDetDataset'
        del loader.dataset['metainfo']


def drop_rate(cfg) -> None:
    cfg.pop('optim_wrapper')


def drop_test(cfg) -> None:
    cfg.pop('test_dataloader')
    cfg.pop('val_dataloader')


def other_preprocessor(cfg) -> None:
    cfg.model.data_preprocessor.type = 'BatchFixedSizePad'


@pytest.mark.parametrize(
    'change, sentence',
    [
        (drop_pipeline, 'my.py has no test pipeline'),
        (drop_test, 'my.py has no test_dataloader'),
        (drop_classes, 'my.py names no classes'),
        (drop_rate, 'my.py has no optim_wrapper.optimizer.lr'),
        (other_preprocessor, 'my.py has the data preprocessor BatchFixed'),
    ],
)
def test_what_is_missing_is_named(change, sentence, read, tiny_data):
    cfg = copy.deepcopy(read('FasterRCNN'))
    change(cfg)
    with pytest.raises(UserError, match=sentence):
        adapt_config(cfg, str(tiny_data / 'target'), name='my.py')


def test_the_source_is_no_target(read, tiny_data):
    with pytest.raises(UserError, match='holds the training images of'):
        adapt_config(read('FasterRCNN'), str(tiny_data / 'source'))

"""The config of an adaptation, made from the config of a detector."""

import copy
import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmcv.transforms import BaseTransform
from mmdet.datasets import CocoDataset
from mmdet.models import CrossEntropyLoss, FasterRCNN
from mmdet.registry import (
    DATASETS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIMIZERS,
    TRANSFORMS,
)
from mmdet.utils import register_all_modules
from mmengine.config import Config
from torch.optim import SGD

from da_faster.adaptation import adapt_config
from da_faster.adaptation.configuration import learning_rate
from da_faster.adaptation.description import describe
from da_faster.adaptation.loaders import batch_size, shared_batch, views
from da_faster.adaptation.overlap import check_other_images
from da_faster.adaptation.plan import build_all
from da_faster.adaptation.settings import Settings
from da_faster.config_files import set_options
from da_faster.data_check import check
from da_faster.detectors import Detector, scores_are_sigmoids
from da_faster.errors import UserError


@pytest.fixture
def read(user_config):
    """The config of one of MMDetection's detectors, on tiny data."""
    return lambda name: Config.fromfile(user_config(name)[0])


def types(steps) -> list[str]:
    return [step['type'] for step in steps]


def test_a_two_stage_detector(read):
    found = Detector(read('FasterRCNN'))
    assert found.classes == ('box',)
    assert not found.has_sigmoid_scores
    assert found.score_bounds == (0.5, 0.3)
    # A tenth of 0.02, for 2 of 16 images.
    lr, _ = learning_rate(found, labelled=False)
    assert lr == pytest.approx(0.00025)
    more, _ = learning_rate(found, labelled=True)
    assert more == pytest.approx(3 * lr)
    assert batch_size(found) == 2
    assert types(found.geometry) == ['LoadImageFromFile', 'Resize']
    assert found.flip == dict(type='RandomFlip', prob=0.5)


def test_a_dense_detector(read):
    found = Detector(read('RTMDet'))
    assert found.has_sigmoid_scores
    assert found.score_bounds == (0.4, 0.2)
    # A tenth of 0.004: steps of AdamW do not depend on the batch.
    lr, _ = learning_rate(found, labelled=False)
    assert lr == pytest.approx(0.0004)


@pytest.mark.parametrize(
    'name, sigmoid',
    [('CascadeRCNN', False), ('FCOS', True), ('YOLOX', True), ('DETR', False)],
)
def test_the_kind_of_scores(name, sigmoid, read):
    assert Detector(read(name)).has_sigmoid_scores == sigmoid


@pytest.mark.parametrize(
    'head, sigmoid',
    [
        # What the config leaves out is the default of the head's class.
        (dict(type='SSDHead'), False),
        (dict(type='CenterNetHead'), True),
        (dict(type='FCOSHead'), True),
        (dict(type='Shared2FCBBoxHead'), False),
        (dict(type='RetinaHead', loss_cls=dict(type='FocalLoss')), True),
        (dict(type='GFLHead', loss_cls=dict(type='CrossEntropyLoss')), False),
    ],
)
def test_the_kind_of_scores_of_a_head(head, sigmoid):
    register_all_modules()
    assert scores_are_sigmoids(dict(bbox_head=head)) == sigmoid


def test_types_may_be_classes_or_paths(read, tiny_data):
    """MMDetection's newer configs have classes, MMEngine writes paths."""
    cfg = read('FasterRCNN')
    target = str(tiny_data / 'target')
    expected = adapt_config(cfg, target, source=True).to_dict()
    cfg.model.type = FasterRCNN
    cfg.model.data_preprocessor.type = 'mmdet.models.DetDataPreprocessor'
    cfg.model.roi_head.bbox_head.loss_cls.type = CrossEntropyLoss
    cfg.optim_wrapper.optimizer.type = SGD
    for step in cfg.train_dataloader.dataset.pipeline:
        step.type = TRANSFORMS.get(step.type)
    for step in cfg.test_dataloader.dataset.pipeline:
        step.type = f'mmdet.{step.type}'
    cfg.train_dataloader.dataset.type = CocoDataset
    assert adapt_config(cfg, target, source=True).to_dict() == expected
    ours, plain = Detector(cfg), Detector(read('FasterRCNN'))
    assert ours.config.to_dict() == plain.config.to_dict()


def test_padding_comes_after_the_flip(read):
    steps = types(views(Detector(read('YOLOX'))))
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
    cfg.custom_hooks.append(dict(type='SetEpochInfoHook'))
    new = adapt_config(cfg, str(tiny_data / 'target'), load_from='x.pth')
    assert types(new.custom_hooks) == ['NumClassCheckHook', 'SelfTrainingHook']


def test_hooks_keep_their_priority(read, target, tmp_path):
    """YOLACT's config has a priority, which Runner takes out of the hook."""
    cfg = read('FasterRCNN')
    hook = dict(type='CheckInvalidLossHook', interval=50, priority='LOW')
    cfg.custom_hooks = [hook]
    new = adapt_config(cfg, str(target), load_from='x.pth')
    build_all(new, tmp_path / 'adapt.py')
    assert new.custom_hooks[0] == hook


def test_no_weights_are_downloaded(read, tiny_data):
    cfg = read('FasterRCNN')
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='x://y')
    new = adapt_config(cfg, str(tiny_data / 'target'), load_from='x.pth')
    assert new.model.detector.backbone.init_cfg is None
    assert cfg.model.backbone.init_cfg
    drawn = dict(type='Kaiming', layer='Conv2d')
    cfg.model.backbone.init_cfg = [drawn, cfg.model.backbone.init_cfg]
    new = adapt_config(cfg, str(tiny_data / 'target'), load_from='x.pth')
    assert new.model.detector.backbone.init_cfg == [drawn]


def test_labelled_images_share_the_batches(read, tiny_data):
    cfg = read('FasterRCNN')
    before = copy.deepcopy(cfg.to_dict())
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
    assert cfg.to_dict() == before


@pytest.mark.parametrize(
    'share, batch_size, ratio',
    [(0.5, 2, [1, 1]), (0.25, 2, [3, 1]), (0.3, 1, [5, 2]), (0.9, 8, [1, 7])],
)
def test_the_share_of_labelled_images(share, batch_size, ratio):
    assert shared_batch(share, batch_size) == ratio


def test_the_batch_is_as_large_as_the_share_takes(read, tiny_data):
    cfg, target = read('FasterRCNN'), str(tiny_data / 'target')
    few = dict(target_labels='few.json', share=0.2)
    loader = adapt_config(cfg, target, source=True, **few).train_dataloader
    assert loader.batch_size == loader.sampler.batch_size == 5
    assert loader.sampler.source_ratio == [4, 1]
    with pytest.raises(UserError, match='share is the fraction of labelled'):
        adapt_config(cfg, target, **few)
    with pytest.raises(UserError, match=r'between 0.05 and 0.95, got 1'):
        adapt_config(cfg, target, source=True, **dict(few, share=1))


@pytest.mark.parametrize('several', [False, True])
def test_labelled_sets_that_describe_themselves_differently(
    read, tiny_data, several
):
    """The checkpoint has one list of classes, whatever a part says."""
    cfg = read('FasterRCNN')
    one = cfg.train_dataloader.dataset
    one.metainfo = dict(classes=['box'], dataset_name='mine')
    if several:
        cfg.train_dataloader.dataset = dict(
            type='ConcatDataset',
            datasets=[one, dict(one, metainfo=dict(classes=('box',)))],
        )
    new = adapt_config(
        cfg,
        str(tiny_data / 'target'),
        source=True,
        target_labels=str(tiny_data / 'target.json'),
    )
    dataset = DATASETS.build(new.train_dataloader.dataset)
    assert dataset.metainfo == dict(classes=('box',))
    assert len(dataset.cumulative_sizes) == 2
    assert dataset[len(dataset) - 1]['data_samples'].gt_instances
    other = dict(new.train_dataloader.dataset, metainfo=dict(classes=('a',)))
    with pytest.raises(UserError, match='a dataset has the classes'):
        DATASETS.build(other)


@pytest.mark.parametrize(
    'settings, blend',
    [
        (dict(), 0.25),
        (dict(source=True), 0.5),
        (dict(source=True, target_labels='few.json'), 1.0),
        (dict(target_labels='few.json', blend=0.25), 0.25),
    ],
)
def test_what_labelled_images_allow(read, tiny_data, settings, blend):
    new = adapt_config(
        read('FasterRCNN'),
        str(tiny_data / 'target'),
        load_from='x.pth',
        **settings,
    )
    assert new.adaptation.blend == blend
    part = 0.3 if settings else 0.1  # of 0.02, for 2 of 16 images
    lr = pytest.approx(0.02 * part * 2 / 16)
    assert new.optim_wrapper.optimizer.lr == lr
    assert new.model.target_weight == (0.25 if settings else 1)
    assert new.model.empty_images == bool(settings)
    assert new.model.pseudo_labels.max_growth == 1


@pytest.mark.parametrize(
    'iters, window, interval', [(600, 200, 50), (60, 40, 15), (1, 1, 1)]
)
def test_a_short_training_is_watched_too(
    read, tiny_data, iters, window, interval
):
    new = adapt_config(
        read('FasterRCNN'), str(tiny_data / 'target'), 'x.pth', iters=iters
    )
    assert new.model.pseudo_labels.statistics_window == window
    assert new.custom_hooks[-1].interval == interval


@pytest.mark.parametrize(
    'content, sentence',
    [
        (dict(info=dict(pseudo_labels=dict())), 'labels of a detector'),
        (dict(info=dict(contributor='me')), None),
        (dict(info=None), None),
        (
            dict(info=dict(pseudo_labels=dict(threshold=1))),
            'labels of a detector',
        ),
        (dict(images=[dict(file_name='a/../b.png')]), None),
        (dict(images=[dict(file_name='../source/b.png')]), '1 of 1 images'),
        (dict(images=[dict(file_name='/source/b.png')]), '1 of 1 images'),
    ],
)
def test_few_labels_are_true_and_of_the_target(
    read, tiny_data, tmp_path, content, sentence
):
    few = tmp_path / 'few.json'
    few.write_text(json.dumps(dict(dict(images=[]), **content)))
    refused = pytest.raises(UserError, match=sentence or '')
    with refused if sentence else nullcontext():
        adapt_config(
            read('FasterRCNN'), str(tiny_data / 'target'), target_labels=few
        )


def test_a_few_labels_can_stand_for_the_source(read, tiny_data):
    new = adapt_config(
        read('FasterRCNN'), str(tiny_data / 'target'), target_labels='few.json'
    )
    assert new.train_cfg.type == 'DALoop'
    assert new.train_dataloader.dataset.ann_file == 'few.json'


def test_without_training_data_the_target_is_enough(read, tiny_data):
    cfg = read('FasterRCNN')
    cfg.pop('train_dataloader')
    new = adapt_config(cfg, str(tiny_data / 'target'), load_from='x.pth')
    assert new.train_cfg.type == 'TargetLoop'


def test_pixels_are_normalized_as_ever(read, tiny_data):
    """MMDetection lets a data_preprocessor stand beside the model, too."""
    cfg = read('FasterRCNN')
    cfg.data_preprocessor = cfg.model.pop('data_preprocessor')
    new = adapt_config(cfg, str(tiny_data / 'target'), load_from='x.pth')
    assert new.model.detector.data_preprocessor == cfg.data_preprocessor


def test_an_adaptation_can_be_adapted_again(read, tiny_data):
    """A second adaptation keeps the small rate, and the target may return."""
    cfg = read('FasterRCNN')
    target = str(tiny_data / 'target')
    alone = adapt_config(cfg, target, load_from='x.pth')
    for name in ('target', 'test'):
        again = adapt_config(alone, str(tiny_data / name), load_from='x.pth')
        assert again.optim_wrapper.optimizer == alone.optim_wrapper.optimizer
        assert again.train_dataloader.dataset.pipeline == (
            alone.train_dataloader.dataset.pipeline
        )
    with pytest.raises(UserError, match='no labelled images: leave --source'):
        adapt_config(alone, target, source=True)


def test_images_of_one_channel(read, tiny_data):
    cfg = read('FasterRCNN')
    cfg.test_dataloader.dataset.pipeline[0].color_type = 'grayscale'
    with pytest.raises(UserError, match="takes a detector of color_type='c"):
        adapt_config(cfg, str(tiny_data / 'target'), load_from='x.pth')


def test_what_is_left_out_is_told(read, tiny_data):
    cfg = read('FasterRCNN')
    cfg.train_dataloader.sampler = dict(type='ClassAwareSampler')
    cfg.optim_wrapper.update(type='AmpOptimWrapper', accumulative_counts=4)
    cfg.custom_hooks = [dict(type='EMAHook')]
    model = SimpleNamespace(student=torch.nn.ReLU())
    notes = {}
    for source in (False, True):
        new = adapt_config(
            cfg, str(tiny_data / 'target'), load_from='x.pth', source=source
        )
        settings = Settings(str(tiny_data / 'target'), source=source)
        lines = describe(Detector(cfg), settings, new, model)
        notes[source] = lines[-1]
    gpu = 'AmpOptimWrapper, which needs a GPU'
    if torch.cuda.is_available():
        gpu = ''
    rest = ', '.join(filter(None, ['accumulative_counts', gpu]))
    assert notes[False] == f'left out: EMAHook, {rest}'
    assert notes[True] == (
        f'left out: EMAHook, ClassAwareSampler of the source, {rest}'
    )


def test_a_source_of_several_sets(read, tiny_data):
    """MMDetection's configs of PASCAL VOC have such a source."""
    cfg = read('FasterRCNN')
    one = cfg.train_dataloader.dataset
    sets = dict(type='ConcatDataset', datasets=[one, copy.deepcopy(one)])
    cfg.train_dataloader.dataset = dict(
        type='RepeatDataset', times=3, dataset=sets
    )
    assert Detector(cfg).flip == dict(type='RandomFlip', prob=0.5)
    new = adapt_config(cfg, str(tiny_data / 'target'), source=True)
    (repeated,) = new.train_dataloader.dataset.datasets
    found = repeated.dataset.datasets
    assert [types(part.pipeline)[-3:] for part in found] == [
        ['TargetStyle', 'StrongAugmentation', 'PackDetInputs']
    ] * 2


@pytest.mark.parametrize('source', [False, True])
def test_labelling_tools_list_all_images_of_the_folder(
    source, read, tiny_data, tmp_path
):
    """Two images are labelled. A test on one of them is a note."""
    labels = json.loads((tiny_data / 'target.json').read_text())
    for number, name in ((2, 'few'), (1, 'seen')):
        some = [a for a in labels['annotations'] if a['image_id'] < number]
        images = labels['images'][: None if name == 'few' else number]
        (tmp_path / f'{name}.json').write_text(
            json.dumps(dict(labels, annotations=some, images=images))
        )
    cfg = read('FasterRCNN')
    target = str(tiny_data / 'target')
    few = str(tmp_path / 'few.json')
    new = adapt_config(cfg, target, source=source, target_labels=few)
    assert check(new).findings == []
    new = adapt_config(
        cfg,
        target,
        source=source,
        target_labels=few,
        test_labels=str(tmp_path / 'seen.json'),
    )
    said = [text for fatal, text in check(new).findings if not fatal]
    assert any('labelled target and test share 1 images' in t for t in said)


def test_masks_are_learned_from_the_few_labels_too(read, tiny_data):
    for name, masks in (('MaskRCNN', True), ('FasterRCNN', None)):
        new = adapt_config(
            read(name), str(tiny_data / 'target'), target_labels='few.json'
        )
        steps = new.train_dataloader.dataset.pipeline
        assert steps[1].get('with_mask') == masks


def test_a_step_an_iteration(read, tiny_data):
    cfg = read('FasterRCNN')
    cfg.optim_wrapper.accumulative_counts = 4
    cfg.optim_wrapper.constructor = 'LearningRateDecayOptimizerConstructor'
    cfg.pop('auto_scale_lr')
    new = adapt_config(cfg, str(tiny_data / 'target'), load_from='x.pth')
    assert 'accumulative_counts' not in new.optim_wrapper
    assert new.optim_wrapper.constructor == 'StudentDecayConstructor'
    # A tenth of 0.02, for 2 of 4 x 2 images.
    assert new.optim_wrapper.optimizer.lr == pytest.approx(0.0005)


def test_classes_may_stand_in_a_file(read, tmp_path):
    cfg = read('FasterRCNN')
    (tmp_path / 'names.txt').write_text('nut\n')
    cfg.train_dataloader.dataset.metainfo.classes = str(tmp_path / 'names.txt')
    assert Detector(cfg).classes == ('nut',)


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


def classes_without_comma(cfg) -> None:
    cfg.train_dataloader.dataset.metainfo.classes = 'box'


def classes_of_another_head(cfg) -> None:
    cfg.train_dataloader.dataset.metainfo.classes = ('nut', 'bolt')


def no_boxes(cfg) -> None:
    cfg.model.type = 'RPN'
    cfg.model.pop('roi_head')


def no_model(cfg) -> None:
    cfg.pop('model')


def shifted_tests(cfg) -> None:
    cfg.test_dataloader.dataset.pipeline.insert(
        1, dict(type='RandomCenterCropPad', test_mode=True)
    )


def maps_to_learn_from(cfg) -> None:
    cfg.model.roi_head.semantic_head = dict(type='FusedSemanticHead')


def objects_in_each_image(cfg) -> None:
    cfg.model.roi_head.type = 'PointRendRoIHead'


def other_preprocessor(cfg) -> None:
    cfg.model.data_preprocessor.type = 'BatchFixedSizePad'


@pytest.mark.parametrize(
    'change, sentence',
    [
        (drop_pipeline, 'my.py has no test pipeline'),
        (drop_test, 'my.py has no test_dataloader'),
        (drop_classes, 'my.py names no classes'),
        (drop_rate, 'my.py has no optim_wrapper.optimizer.lr'),
        (classes_without_comma, r"my.py: classes is the text 'box'"),
        (
            classes_of_another_head,
            r'num_classes=1, but its datasets have 2 classes \(nut bolt\)',
        ),
        (no_boxes, r'my.py has no bbox_head in its model \(RPN\)'),
        (no_model, r'my.py has no bbox_head in its model \(none\)'),
        (shifted_tests, 'my.py tests with RandomCenterCropPad'),
        (maps_to_learn_from, 'my.py has a semantic_head'),
        (objects_in_each_image, 'my.py is a PointRend'),
        (other_preprocessor, 'my.py has the data preprocessor BatchFixed'),
    ],
)
def test_what_is_missing_is_named(change, sentence, read, tiny_data):
    cfg = copy.deepcopy(read('FasterRCNN'))
    change(cfg)
    with pytest.raises(UserError, match=sentence):
        adapt_config(cfg, str(tiny_data / 'target'), name='my.py')


@pytest.mark.parametrize('change', [maps_to_learn_from, objects_in_each_image])
def test_what_boxes_cannot_teach_may_label(change, read):
    cfg = read('FasterRCNN')
    change(cfg)
    assert Detector(cfg).classes == ('box',)


def test_transforms_that_keep_earlier_images_are_known(read):
    assert Detector(read('RTMDet')).image_caches == [
        'CachedMosaic',
        'CachedMixUp',
    ]
    assert Detector(read('YOLOX')).image_caches == []


def test_the_source_is_no_target(read, tiny_data, tmp_path):
    cfg = read('FasterRCNN')
    refused = pytest.raises(UserError, match='holds the training images of')
    with refused:
        adapt_config(cfg, str(tiny_data / 'source'))
    # File names that begin with a folder, and a link to that.
    (tmp_path / 'link').symlink_to(tiny_data / 'source')
    labels = json.loads((tiny_data / 'source.json').read_text())
    for image in labels['images']:
        image['file_name'] = f'source/{image["file_name"]}'
    (tmp_path / 'whole.json').write_text(json.dumps(labels))
    cfg.train_dataloader.dataset.update(
        ann_file=str(tmp_path / 'whole.json'), data_prefix=dict(img='')
    )
    for folder in (tiny_data / 'source', tmp_path / 'link'):
        with refused:
            adapt_config(cfg, str(folder), load_from='x.pth')
    adapt_config(cfg, str(tiny_data / 'target'), load_from='x.pth')


def test_copies_of_the_source_are_no_target(read, tiny_data, tmp_path):
    """Copies have other names. A few copies beside new images are a note."""
    cfg, folder = read('FasterRCNN'), tmp_path / 'copies'
    folder.mkdir()
    for number, path in enumerate(sorted((tiny_data / 'source').iterdir())):
        shutil.copy(path, folder / f'new_{number}.png')
    with pytest.raises(UserError, match='holds the training images of'):
        check_other_images(Detector(cfg), str(folder))
    for path in (tiny_data / 'target').iterdir():
        shutil.copy(path, folder)
    assert check_other_images(Detector(cfg), str(folder)) == 8
    (tmp_path / 'links').mkdir()
    (tmp_path / 'links/source').symlink_to(tiny_data / 'source')
    cfg.train_dataloader.dataset.data_root = str(tmp_path / 'links')
    assert check_other_images(Detector(cfg), str(folder)) == 8
    assert check_other_images(Detector(cfg), str(tiny_data / 'target')) == 0


def test_a_copy_of_what_is_not_trained_on_is_a_target(
    read, tiny_data, tmp_path
):
    """A link that leads nowhere does not change that."""
    cfg, folder = read('FasterRCNN'), tmp_path / 'others'
    labels = json.loads((tiny_data / 'source.json').read_text())
    *others, last = labels['images']
    labels['images'] = [last]
    labels['annotations'] = []
    (tmp_path / 'one.json').write_text(json.dumps(labels))
    cfg.train_dataloader.dataset.ann_file = str(tmp_path / 'one.json')
    folder.mkdir()
    for image in others:
        shutil.copy(tiny_data / 'source' / image['file_name'], folder)
    (folder / 'gone.png').symlink_to(tmp_path / 'nowhere.png')
    assert check_other_images(Detector(cfg), str(folder)) == 0
    shutil.copy(tiny_data / 'source' / last['file_name'], folder)
    assert check_other_images(Detector(cfg), str(folder)) == 1


def test_one_folder_for_both_domains(read, tiny_data, tmp_path):
    """The annotations say which images are trained on."""
    cfg = read('FasterRCNN')
    labels = json.loads((tiny_data / 'source.json').read_text())
    half = {image['id'] for image in labels['images'][:4]}
    for key, name in (('images', 'id'), ('annotations', 'image_id')):
        labels[key] = [item for item in labels[key] if item[name] in half]
    (tmp_path / 'half.json').write_text(json.dumps(labels))
    cfg.train_dataloader.dataset.ann_file = str(tmp_path / 'half.json')
    source = str(tiny_data / 'source')
    assert check_other_images(Detector(cfg), source) == 4
    labels['info'] = dict(pseudo_labels={})  # of an adaptation before
    (tmp_path / 'made.json').write_text(json.dumps(labels))
    cfg.train_dataloader.dataset.ann_file = str(tmp_path / 'made.json')
    assert check_other_images(Detector(cfg), source) == 0
    half = str(tmp_path / 'half.json')
    cfg.adaptation = dict(target_labels=half)
    cfg.train_dataloader.dataset.ann_file = half
    assert check_other_images(Detector(cfg), source) == 0
    cfg.train_dataloader.dataset.ann_file = str(tmp_path / 'gone.json')
    with pytest.raises(UserError, match='holds the training images of'):
        check_other_images(Detector(cfg), source)


def test_a_source_in_voc_s_layout(read, tiny_data, tmp_path):
    cfg, root = read('FasterRCNN'), tmp_path / 'VOC2007'
    shutil.copytree(tiny_data / 'source', root / 'JPEGImages')
    names = [path.stem for path in sorted((root / 'JPEGImages').iterdir())]
    (root / 'Annotations').mkdir()
    for name in names:
        (root / 'JPEGImages' / f'{name}.png').rename(
            root / 'JPEGImages' / f'{name}.jpg'
        )
        (root / 'Annotations' / f'{name}.xml').write_text(
            '<annotation><size><width>64</width><height>64</height></size>'
            '<object><name>box</name><difficult>0</difficult><bndbox>'
            '<xmin>2</xmin><ymin>2</ymin><xmax>20</xmax><ymax>20</ymax>'
            '</bndbox></object></annotation>'
        )
    (root / 'train.txt').write_text('\n'.join(names[:5]))
    cfg.train_dataloader.dataset = dict(
        type='VOCDataset',
        data_root=str(tmp_path),
        ann_file='VOC2007/train.txt',
        data_prefix=dict(sub_data_root='VOC2007/'),
        metainfo=dict(classes=('box',)),
        pipeline=[],
    )
    target = str(root / 'JPEGImages')
    assert check_other_images(Detector(cfg), target) == 5
    (root / 'train.txt').write_text('\n'.join(names))
    with pytest.raises(UserError, match='holds the training images of'):
        check_other_images(Detector(cfg), target)


class Negative(BaseTransform):
    def transform(self, results: dict) -> dict:
        return dict(results, img=255 - results['img'])


def test_code_that_stock_mmdetection_lacks_is_refused(
    read, tiny_data, monkeypatch
):
    """Left out in silence it would be another detector."""
    monkeypatch.setitem(TRANSFORMS.module_dict, 'Negative', Negative)
    cfg, target = read('FasterRCNN'), str(tiny_data / 'target')
    steps = cfg.train_dataloader.dataset.pipeline
    steps.insert(1, dict(type='Negative'))
    adapt_config(cfg, target, load_from='x.pth')  # does not use the pipeline
    with pytest.raises(UserError, match='my.py has Negative of tests.adapt'):
        adapt_config(cfg, target, source=True, name='my.py')
    tested = cfg.test_dataloader.dataset
    plain, tested.pipeline = tested.pipeline, steps
    with pytest.raises(UserError, match='my.py has Negative of tests.adapt'):
        adapt_config(cfg, target, load_from='x.pth', name='my.py')
    tested.pipeline = plain
    for registry, change in (
        (OPTIMIZERS, dict(optimizer=dict(type='Mine', lr=0.1))),
        (OPTIM_WRAPPER_CONSTRUCTORS, dict(constructor='Mine')),
    ):
        monkeypatch.setitem(registry.module_dict, 'Mine', Negative)
        other = copy.deepcopy(cfg)
        other.optim_wrapper.update(change)
        with pytest.raises(UserError, match='my.py has Mine of tests.adapt'):
            adapt_config(other, target, load_from='x.pth', name='my.py')
        monkeypatch.delitem(registry.module_dict, 'Mine')


def test_a_detector_is_past_its_first_epochs(read, tiny_data):
    """TOOD has another assigner and loss there."""
    cfg = read('RetinaNet')
    cfg.model.train_cfg.initial_epoch = 4
    new = adapt_config(cfg, tiny_data / 'target', load_from=Path('x.pth'))
    assert new.model.detector.train_cfg.initial_epoch == 0
    assert cfg.model.train_cfg.initial_epoch == 4
    assert new.load_from == 'x.pth'


@pytest.mark.parametrize(
    'settings, sentence',
    [
        (dict(iters=1.5), 'iters must be a whole number from 1, got 1.5'),
        (dict(blend=7), 'x.py: blend must lie between 0 and 1, got 7'),
        (
            dict(test_images='x/'),
            'test_images=x/ is measured on with test_labels: give',
        ),
    ],
)
def test_settings_that_mean_nothing(read, tiny_data, settings, sentence):
    with pytest.raises(UserError, match=sentence):
        adapt_config(
            read('FasterRCNN'),
            str(tiny_data / 'target'),
            load_from='x.pth',
            name='x.py',
            **settings,
        )


def test_paths_may_be_paths(read, tiny_data):
    new = adapt_config(
        read('FasterRCNN'),
        tiny_data / 'target',
        target_labels=tiny_data / 'target.json',
    )
    assert new.adaptation.target_labels == str(tiny_data / 'target.json')


def test_an_option_changes_the_blend(read, tiny_data):
    target = str(tiny_data / 'target')
    new = adapt_config(read('FasterRCNN'), target, load_from='x.pth')
    set_options(new, {'adaptation.blend': 0.3}, 'adapt.py')
    assert new.adaptation.blend == 0.3

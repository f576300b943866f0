"""Every config in configs/ loads, builds and differs from its siblings in
nothing but what its name says."""

import argparse
import ast
import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import mmcv
import mmdet
import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, METRICS, MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from PIL import Image

from da_faster.config_files import LOOKED_UP

FOLDER = Path(__file__).parents[1] / 'configs'
FILES = [
    path
    for path in (*FOLDER.glob('*.py'), *FOLDER.glob('*/*.py'))
    if path.parent.name not in ('_base_', 'custom')
]
ALL = sorted(FOLDER.rglob('*.py'))
# By name: a work dir is called after its config, so names are unique.
CONFIGS = {path.stem: path for path in FILES}
ADAPTED = [name for name in CONFIGS if name.startswith('da_')]
TEACHERS = [name for name in CONFIGS if name.startswith('mean_teacher_')]
BASELINES = sorted(set(CONFIGS) - set(ADAPTED) - set(TEACHERS))
SMALL = ('demo', 'blood_smears', 'nuclei')
# Without domain classifiers.
PLAIN_TEACHERS = (
    'mean_teacher_r50_fpn_city2foggy',
    'mean_teacher_demo',
    'mean_teacher_thermal_drone',
)
# What belongs to the source alone.
SOURCE_STEPS = (
    'LoadAnnotations',
    'FilterAnnotations',
    'TargetStyle',
    'Invert',
)
DOMAIN_KEYS = ('domain_neck', 'instance_domain_head', 'loss_consistency')
STOCK = dict(
    DAFasterRCNN='FasterRCNN',
    DARoIHead='StandardRoIHead',
    DASingleStageDetector='RetinaNet',
    DomainDataPreprocessor='DetDataPreprocessor',
)
MMDET = Path(mmdet.__file__).parent / '.mim/configs'
# Without a sibling with domain classifiers: the pair of pretrained detectors,
# and the detectors that tools/adapt.py adapts.
PRETRAINED = [name for name in BASELINES if name.endswith('_thermal_drone')]
WITHOUT_SIBLING = (
    *PRETRAINED,
    'source_only_retinanet_demo',
    'source_only_strong_dino_blood_smears',
    'source_only_strong_dino_demo',
    'source_only_strong_dino_nuclei',
    'source_only_strong_retinanet_nuclei',
)


@cache
def load(name: str) -> dict:
    return Config.fromfile(CONFIGS[name]).to_dict()


def without(config: dict, *keys: str) -> dict:
    return {k: v for k, v in config.items() if k not in keys}


def without_classifiers(model: dict) -> dict:
    """A model without what domain classifiers add to it."""
    return {
        key: without_classifiers(value)
        if isinstance(value, dict)
        else STOCK.get(value, value)
        if key == 'type'
        else value
        for key, value in model.items()
        if key not in DOMAIN_KEYS
    }


def bases(path: Path) -> list[Path]:
    """The files that a config file names as its bases."""
    named = re.search(
        r"^_base_ = ('[^']*'|\[.*?^\])", path.read_text(), re.M | re.S
    )
    found = ast.literal_eval(named[1]) if named else []
    return [
        MMDET / base.removeprefix('mmdet::')
        if base.startswith('mmdet::')
        else path.parent / base
        for base in ([found] if isinstance(found, str) else found)
    ]


def chain(path: Path) -> int:
    """The number of files in the longest chain of bases, the file included."""
    return 1 + max(map(chain, bases(path)), default=0)


def settings(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """(name, value) of each assignment and keyword of a config file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword):
            yield node.arg, node.value
        elif isinstance(node, ast.Assign):
            yield ast.unparse(node.targets[0]).split('.')[-1], node.value


def adapted_sibling(name: str) -> str:
    """Name of the config that differs only by the adaptation."""
    end = name.removeprefix('source_only').removeprefix('oracle')
    names = (
        f'da_faster_plain{end}',
        f'da_faster{end}',
        f'da{end}',
        f'da_faster{end.removeprefix("_style")}',
        f'mean_teacher{end.removeprefix("_strong")}',
    )
    return next(n for n in names if n in CONFIGS)


def build(cfg: ConfigDict):
    """Builds a model without memory and random numbers: shapes only."""
    init_default_scope('mmdet')
    with torch.device('meta'):
        return MODELS.build(cfg)


def test_names_are_unique_and_folders_small():
    assert len(CONFIGS) == len(FILES) > 30
    folders = Counter(path.parent for path in FILES)
    assert max(folders.values()) <= 20


@pytest.mark.parametrize('path', ALL, ids=lambda path: path.stem)
def test_chains_are_short_and_methods_add(path):
    """No adaptation is taken away to get an ordinary detector."""
    assert chain(path) <= 4
    for name, value in settings(path):
        off = isinstance(value, ast.Constant) and value.value is None
        assert not (off and name in (*DOMAIN_KEYS, 'target_dataloader')), name
        if name in ('model', 'train_cfg', 'domain_classifiers', *DOMAIN_KEYS):
            given = {
                word.arg: getattr(word.value, 'value', None)
                for word in getattr(value, 'keywords', ())
            }
            wraps = given.get('type') == 'MeanTeacher'
            assert wraps or '_delete_' not in given, name


@pytest.mark.parametrize('name', CONFIGS)
def test_config_is_short_and_its_model_builds(name):
    assert len(CONFIGS[name].read_text().splitlines()) <= 40
    config = Config.fromfile(CONFIGS[name])
    model = build(config.model)
    if name in TEACHERS:
        num_classes = model.pseudo_labels.num_classes
        model = model.student
    heads = getattr(model, 'roi_head', model)
    classes = config.train_dataloader.dataset.metainfo.classes
    assert heads.bbox_head.num_classes == len(classes)
    if name in TEACHERS:
        assert num_classes == len(classes)
    if hasattr(heads, 'mask_head'):
        assert heads.mask_head.num_classes == len(classes)
    for key in DOMAIN_KEYS:
        if key == 'domain_neck' or heads is not model:
            off = name in (*BASELINES, *PLAIN_TEACHERS)
            # The term belongs to the reference recipe.
            if key == 'loss_consistency' and name.endswith(SMALL):
                off = True
            assert (getattr(model, key, None) is None) == off
    if getattr(model, 'domain_neck', None):
        # Whether fewer cost accuracy is open.
        assert model.domain_neck.cell_stride == 1


@pytest.mark.parametrize(
    'name', [n for n, p in CONFIGS.items() if '--cfg-options' in p.read_text()]
)
def test_the_options_in_a_comment_switch_the_adaptation_off(name):
    config = Config.fromfile(CONFIGS[name])
    options = re.findall(r'model\.\w+=None', CONFIGS[name].read_text())
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args(['--cfg-options', *options])
    adapted = build(config.model).state_dict()
    config.merge_from_dict(args.cfg_options)
    plain = build(config.model).state_dict()
    assert (
        plain.keys()
        == {k for k in adapted if not k.startswith(DOMAIN_KEYS)}
        != adapted.keys()
    )


@pytest.mark.parametrize('name', CONFIGS)
def test_all_data_of_a_config_agree(name):
    config = load(name)
    test = config['test_dataloader']['dataset']
    sets = [config['train_dataloader']['dataset'], test]
    if name not in BASELINES:
        sets.append(config['train_cfg']['target_dataloader']['dataset'])
    for dataset in sets:
        assert dataset['metainfo'] == sets[0]['metainfo']
    assert config['test_evaluator']['ann_file'] == (
        test['data_root'] + test['ann_file']
    )
    masks = {
        step.get('with_mask', False)
        for dataset in sets[:2]
        for step in dataset['pipeline']
        if step['type'] == 'LoadAnnotations'
    }
    detector = config['model'].get('detector', config['model'])
    assert masks == {'mask_head' in detector.get('roi_head', ())}


@pytest.mark.parametrize('name', ADAPTED)
def test_target_is_trained_on_without_labels(name):
    config = load(name)
    source = config['train_dataloader']['dataset']
    target = config['train_cfg']['target_dataloader']['dataset']
    assert config['train_cfg']['type'] == 'DALoop'
    assert target['type'] == 'TargetDataset'
    steps = [step['type'] for step in target['pipeline']]
    assert 'LoadAnnotations' not in steps
    # Both domains are transformed alike, or the domains differ in that. But
    # nuclei are of one size only after different enlargements.
    scaled = ['scale'] if name.endswith('_nuclei') else []
    assert [without(step, *scaled) for step in target['pipeline']] == [
        without(step, *scaled)
        for step in source['pipeline']
        if step['type'] not in SOURCE_STEPS
    ]


@pytest.mark.parametrize('name', TEACHERS)
def test_a_teacher_sees_unlabelled_images_as_the_source_is(name):
    """Only the student's view and the source's colours differ."""
    config = load(name)
    target = config['train_cfg']['target_dataloader']['dataset']
    assert target['type'] == 'TargetDataset'
    *shared, views = target['pipeline']
    student, teacher = views['target'], views['target_weak']
    assert views['branch_field'] == ['target', 'target_weak']
    assert teacher == student[1:]
    ours = [step['type'] for step in (*shared, *student)]
    assert 'StrongAugmentation' in ours
    theirs = [
        s['type'] for s in config['train_dataloader']['dataset']['pipeline']
    ]
    assert ours == [s for s in theirs if s not in SOURCE_STEPS]
    (hook,) = config['custom_hooks']
    assert hook['type'] == 'SelfTrainingHook'
    assert 0 < hook['burn_in'] < config['train_cfg']['max_iters']
    # What rests after the burn-in, several processes would wait for.
    rests = 'domain_neck' in config['model']['detector']
    assert config.get('find_unused_parameters', False) == rests


@pytest.mark.parametrize('name', TEACHERS)
def test_both_views_are_of_one_decoded_image(name, tmp_path, monkeypatch):
    path = tmp_path / 'image.png'
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3))
    Image.fromarray(noise.astype(np.uint8)).save(path)
    decoded, decode = [], mmcv.imfrombytes
    monkeypatch.setattr(
        mmcv,
        'imfrombytes',
        lambda *args, **kwargs: decoded.append(1) or decode(*args, **kwargs),
    )
    init_default_scope('mmdet')
    dataset = load(name)['train_cfg']['target_dataloader']['dataset']
    views = Compose(dataset['pipeline'])(
        dict(img_path=str(path), img_id=0, instances=[])
    )
    assert len(decoded) == 1
    strong, weak = (views['inputs'][k] for k in ('target', 'target_weak'))
    assert strong.shape == weak.shape


@pytest.mark.slow
@pytest.mark.parametrize(
    'name', ['mean_teacher_city2foggy', 'mean_teacher_r50_fpn_city2foggy']
)
def test_a_full_size_teacher_takes_a_step(name):
    """The step uses small random images, random weights, few proposals."""
    config = Config.fromfile(CONFIGS[name])
    detector = config.model.detector
    detector.backbone.init_cfg = None
    detector.train_cfg.rpn_proposal.max_per_img = 20
    detector.train_cfg.rcnn.sampler.num = 8
    detector.test_cfg.rpn.max_per_img = 20
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(config.model).train()
    model.self_training = True
    size = config.train_dataloader.batch_size
    names = ('source', 'target', 'target_weak')
    image = torch.randint(0, 256, (3, 128, 192)).byte()
    sample = DetDataSample(
        metainfo=dict(
            img_shape=(128, 192), ori_shape=(128, 192), scale_factor=(1.0, 1.0)
        )
    )
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[20.0, 20.0, 80.0, 90.0]]),
        labels=torch.tensor([0]),
    )
    batch = dict(
        inputs={d: [image] * size for d in names},
        data_samples={
            d: [copy.deepcopy(sample) for _ in range(size)] for d in names
        },
    )
    batch = model.data_preprocessor(batch, training=True)
    total, logged = model.parse_losses(model(**batch, mode='loss'))
    total.backward()
    assert torch.isfinite(total)
    assert 'pseudo_boxes' in logged
    heads = model.student.roi_head.bbox_head
    assert heads.fc_cls.weight.grad.any()


@pytest.mark.parametrize('name', CONFIGS)
def test_checkpoints_are_not_chosen_by_the_test_set(name):
    config = load(name)
    assert 'save_best' not in config['default_hooks']['checkpoint']
    files = [
        config[loader]['dataset']['ann_file']
        for loader in ('train_dataloader', 'test_dataloader')
    ]
    assert files[0] != files[1]


@pytest.mark.parametrize(
    'name', [name for name in BASELINES if name not in WITHOUT_SIBLING]
)
def test_baseline_shares_all_but_the_adaptation(name):
    sibling = adapted_sibling(name)
    baseline, adapted = load(name), load(sibling)
    changed = {'model', 'train_cfg', 'train_dataloader'}
    model = adapted['model']
    if sibling in TEACHERS:  # the baseline is averaged, too
        assert baseline['custom_hooks'][0]['type'] == 'EMAHook'
        changed |= {'custom_hooks', 'find_unused_parameters'}
        model = model['detector']
    for key in LOOKED_UP - changed:
        assert baseline.get(key) == adapted.get(key), key
    assert baseline['model'] == without_classifiers(model)
    assert baseline['train_cfg']['type'] == 'SeededTrainLoop'
    assert without(baseline['train_cfg'], 'type') == without(
        adapted['train_cfg'], 'type', 'target_dataloader'
    )

    ours, theirs = baseline['train_dataloader'], adapted['train_dataloader']
    assert without(ours, 'dataset') == without(theirs, 'dataset')
    ours, theirs = ours['dataset'], theirs['dataset']
    if name.startswith('oracle'):
        images = ('data_root', 'data_prefix')
        target = adapted['train_cfg']['target_dataloader']['dataset']
        assert [ours[k] for k in images] == [target[k] for k in images]
        assert ours['ann_file'] == target.get('ann_file', ours['ann_file'])
        if name.endswith('_nuclei'):
            # Each domain has its scale, and only the source is inverted.
            resize = target['pipeline'][1]
            steps = [
                resize if step['type'] == resize['type'] else step
                for step in theirs['pipeline']
                if step['type'] != 'Invert'
            ]
            theirs = dict(theirs, pipeline=steps)
        assert without(ours, 'ann_file', *images) == without(
            theirs, 'ann_file', *images
        )
    else:
        assert ours == theirs


@pytest.mark.parametrize('name', PRETRAINED)
def test_baselines_of_pretrained_detectors_differ_in_their_data(name):
    """Only the oracle reads the target's labels."""
    baseline, plain = load(name), load('source_only_thermal_drone')
    for key in LOOKED_UP - {'train_dataloader'}:
        assert baseline.get(key) == plain.get(key), key
    ours, theirs = (c['train_dataloader'] for c in (baseline, plain))
    assert without(ours, 'dataset') == without(theirs, 'dataset')
    data = ('ann_file', 'data_prefix')
    ours, theirs = ours['dataset'], theirs['dataset']
    if name.startswith('oracle'):
        assert [ours[key] for key in data] == ['night.json', {'img': 'night/'}]
        assert without(ours, *data) == without(theirs, *data)
    else:
        assert [ours[key] for key in data] == ['day.json', {'img': 'day/'}]
        assert without(ours, 'pipeline') == without(theirs, 'pipeline')


def test_the_pretrained_teacher_begins_as_its_baseline():
    baseline, teacher = (
        load(f'{name}_thermal_drone')
        for name in ('source_only_style', 'mean_teacher')
    )
    assert teacher['model']['detector'] == baseline['model']
    changed = {'model', 'train_cfg', 'custom_hooks', 'param_scheduler'}
    for key in LOOKED_UP - changed:
        assert baseline.get(key) == teacher.get(key), key
    (hook,) = teacher['custom_hooks']
    assert hook['burn_in'] == baseline['train_cfg']['max_iters']


def test_yolox_nano_is_mmdetection_s():
    """Both have the same layers, so the published weights fit."""
    init_default_scope('mmdet')
    file = FOLDER / '_base_/models/yolox_nano.py'
    ours, theirs = (
        Config.fromfile(path).model
        for path in (file, MMDET / 'yolox/yolox_nano_8xb8-300e_coco.py')
    )
    assert ours.test_cfg == theirs.test_cfg
    assert ours.train_cfg == theirs.train_cfg
    theirs.data_preprocessor.pop('batch_augments')
    assert str(build(ours)) == str(build(theirs))


@pytest.fixture
def street_json(tmp_path) -> Path:
    """A COCO json of three images: car and person, person, nothing."""
    boxes = (
        (0, 3, [10, 10, 40, 20]),
        (0, 1, [60, 10, 10, 30]),
        (1, 1, [20, 20, 10, 30]),
    )
    path = tmp_path / 'street.json'
    path.write_text(
        json.dumps(
            dict(
                images=[
                    dict(id=i, file_name=f'{i}.png', width=100, height=60)
                    for i in range(3)
                ],
                annotations=[
                    dict(
                        id=i + 1,
                        image_id=image,
                        category_id=category,
                        bbox=box,
                        area=box[2] * box[3],
                        iscrowd=0,
                    )
                    for i, (image, category, box) in enumerate(boxes)
                ],
                categories=[dict(id=1, name='person'), dict(id=3, name='car')],
            )
        )
    )
    return path


def test_only_cars_of_a_json_with_more_are_trained_on(street_json):
    config = load('da_faster_city2kitti')
    where = dict(data_root='', ann_file=str(street_json), pipeline=[])
    source = DATASETS.build(
        dict(config['train_dataloader']['dataset'], **where)
    )
    assert [source.get_data_info(i)['img_id'] for i in range(len(source))] == [
        0
    ]
    instances = source.get_data_info(0)['instances']
    assert [(i['bbox'], i['bbox_label']) for i in instances] == [
        ([10, 10, 50, 30], 0)
    ]
    target = DATASETS.build(
        dict(config['train_cfg']['target_dataloader']['dataset'], **where)
    )
    assert len(target) == 3
    assert not any(target.get_data_info(i)['instances'] for i in range(3))


def test_only_cars_of_a_json_with_more_are_evaluated(street_json):
    config = load('da_faster_sim10k2city')
    metric = METRICS.build(
        dict(config['test_evaluator'], ann_file=str(street_json))
    )
    metric.dataset_meta = config['test_dataloader']['dataset']['metainfo']
    boxes = [torch.tensor([[10.0, 10.0, 50.0, 30.0]]), *torch.zeros(2, 0, 4)]
    metric.process(
        {},
        [
            dict(
                img_id=i,
                ori_shape=(60, 100),
                pred_instances=dict(
                    bboxes=box,
                    scores=torch.ones(len(box)),
                    labels=torch.zeros(len(box), dtype=torch.long),
                ),
            )
            for i, box in enumerate(boxes)
        ],
    )
    scores = metric.evaluate(size=3)
    assert scores['coco/bbox_mAP_50'] == 1.0
    assert scores['coco/car_precision'] == 1.0
    assert 'coco/person_precision' not in scores


def rows_of_the_reference_table() -> list:
    text = (Path(__file__).parents[1] / 'docs/reference.md').read_text()
    rows = re.findall(r'^\| .* \| `(.*)` \| `([\w.]+)` \|$', text, re.M)
    assert len(rows) > 60
    return rows


@pytest.mark.parametrize('ours, key', rows_of_the_reference_table())
def test_docs_state_the_config_s_values(ours, key):
    value = load('da_faster_city2foggy')
    for part in key.split('.'):
        if isinstance(value, (list, tuple)):
            value = value[int(part)]
        else:
            value = value.get(part)
    assert value == ast.literal_eval(ours)


def test_converted_weights_see_images_as_they_were_trained():
    cfg = load('da_faster_city2foggy_maskrcnn_benchmark')
    for loader in (
        cfg['train_dataloader'],
        cfg['train_cfg']['target_dataloader'],
        cfg['test_dataloader'],
        cfg['val_dataloader'],
    ):
        (resize,) = (
            t for t in loader['dataset']['pipeline'] if t['type'] == 'Resize'
        )
        assert resize['backend'] == 'pillow'

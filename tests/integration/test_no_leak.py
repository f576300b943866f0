"""Labels of the target never reach the training."""

import copy
import json

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from launching import SOURCE_FREE, STYLE, TEACHER, derive, train

CROP = """
train_cfg = dict(target_dataloader=dict(dataset=dict(pipeline=[
    _base_.load, {}, _base_.resize, _base_.flip, _base_.pack])))
"""
RANDOM_CROP = "dict(type='RandomCrop', crop_size=(48, 48))"
# This crop looks for a place that the boxes like.
IOU_CROP = "_base_.labels, dict(type='MinIoURandomCrop')"
PIPELINES = {
    'plain': '',
    'crop': CROP.format(RANDOM_CROP),
    'crop around (wrongly loaded) labels': CROP.format(IOU_CROP),
}


def shuffled(annotations):
    return [
        dict(a, image_id=b['image_id'])
        for a, b in zip(annotations, reversed(annotations))
    ]


def poisoned(annotations):
    return [
        dict(a, bbox=[-1e6, float('nan'), 1e9, 0.0], category_id=77, iscrowd=1)
        for a in annotations
    ]


LOADER = 'train_cfg__target_dataloader__dataset__ann_file'
TRANSFORM = 'train_dataloader__dataset__pipeline__4__dataset__ann_file'
PATHS = {name: (text, LOADER) for name, text in PIPELINES.items()}
PATHS['colours of the target'] = STYLE, TRANSFORM
PATHS['mean teacher'] = TEACHER, LOADER
PATHS['source-free'] = SOURCE_FREE, 'train_dataloader__dataset__ann_file'
PATHS['soft labels'] = (
    TEACHER + "model['distillation'] = dict(type='TwoStageDistillation')\n",
    LOADER,
)


def save_start(config, folder):
    """Saves random weights to start from."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict()), folder / 'start.pth')
    return folder / 'start.pth'


@pytest.mark.parametrize('path', PATHS)
@pytest.mark.slow
def test_weights_do_not_depend_on_target_annotations(
    tiny_data, tiny_config, tmp_path, path
):
    text, option = PATHS[path]
    config = derive(tiny_config, tmp_path, text)
    start = {}
    if path == 'source-free':
        start['load_from'] = save_start(tiny_config, tmp_path)
    true = json.loads((tiny_data / 'target.json').read_text())
    assert true['annotations']
    ends = {}
    for change in (list, shuffled, poisoned, None):
        coco = dict(true)
        annotations = coco.pop('annotations')
        if change is not None:
            coco['annotations'] = change(annotations)
        name = getattr(change, '__name__', 'missing')
        ann_file = tmp_path / f'{name}.json'
        ann_file.write_text(json.dumps(coco))
        ends[name] = train(
            config,
            tmp_path / name,
            train_cfg__val_begin=100,
            **{option: ann_file, **start},
        )
    assert ends['list'][0]['weights'] != ends['list'][-1]['weights']
    for name, lines in ends.items():
        assert lines == ends['list'], name


def test_the_images_of_the_target_do_matter(tiny_config, tmp_path):
    """Otherwise the test above would prove nothing."""
    ends = [
        train(
            tiny_config,
            tmp_path / folder,
            train_cfg__val_begin=100,
            train_cfg__target_dataloader__dataset__data_prefix__img=folder,
        )[-1]['weights']
        for folder in ('target', 'test')
    ]
    assert ends[0] != ends[1]


def test_the_colours_of_the_target_do_matter(tiny_config, tmp_path):
    config = derive(tiny_config, tmp_path, STYLE)
    ends = [
        train(
            config,
            tmp_path / folder,
            train_cfg__val_begin=100,
            train_dataloader__dataset__pipeline__4__dataset__data_prefix__img=(
                folder
            ),
        )[-1]['weights']
        for folder in ('target', 'test')
    ]
    assert ends[0] != ends[1]


def test_a_labelled_target_is_refused(tiny_config, tmp_path):
    config = derive(
        tiny_config,
        tmp_path,
        """
train_cfg = dict(target_dataloader=dict(dataset=dict(
    _delete_=True,
    **{**_base_.train_dataloader.dataset, 'ann_file': 'target.json',
       'data_prefix': dict(img='target/')})))""",
    )
    with pytest.raises(Exception, match='target must be unlabelled') as error:
        train(config, tmp_path / 'run', '--skip-data-check')
    assert "type='TargetDataset'" in str(error.value)
    assert not list((tmp_path / 'run').glob('*.pth'))


def test_a_labelled_target_alone_is_refused(tiny_config, tmp_path):
    text = (
        SOURCE_FREE
        + """
train_dataloader['dataset'] = dict(
    _delete_=True, **{**_base_.train_dataloader.dataset})
"""
    )
    config = derive(tiny_config, tmp_path, text)
    start = save_start(tiny_config, tmp_path)
    with pytest.raises(Exception, match='target must be unlabelled'):
        train(config, tmp_path / 'run', '--skip-data-check', load_from=start)
    assert not list((tmp_path / 'run').glob('*.pth'))


def test_the_model_ignores_target_instances(tiny_config):
    """Instances that another pipeline passes on change nothing."""
    cfg = Config.fromfile(tiny_config)
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).train()
    model.init_weights()
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    batches = iter(loader)
    source, target = next(batches), next(batches)  # both with instances

    def poison(instances):
        instances.bboxes.tensor.mul_(float('nan'))
        instances.labels += 77
        return instances

    def step(change) -> list:
        domains = copy.deepcopy(dict(source=source, target=target))
        for sample in domains['target']['data_samples']:
            sample.gt_instances = change(sample.gt_instances)
        batch = {
            key: {d: b[key] for d, b in domains.items()}
            for key in ('inputs', 'data_samples')
        }
        batch = model.data_preprocessor(batch, training=True)
        torch.manual_seed(1)
        losses, _ = model.parse_losses(model(**batch, mode='loss'))
        model.zero_grad()
        losses.backward()
        return [losses.detach()] + [p.grad for p in model.parameters()]

    true = step(lambda instances: instances)
    assert all(g is not None and g.isfinite().all() for g in true)
    for change in (poison, lambda instances: instances[:0]):
        assert all(map(torch.equal, true, step(change)))

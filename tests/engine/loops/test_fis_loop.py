"""FIS as a validation without labels."""

import random
from itertools import count

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from da_faster.engine.loops import fis_loop
from da_faster.engine.loops.fis import fis
from launching import TEACHER, derive, logged, train
from recorder import digest

numbers = count()
LOOP = """
val_cfg = dict(type='FISLoop', num=3, draws=2)
"""
UNLABELLED = (
    LOOP
    + """
val_dataloader = dict(dataset=dict(
    _delete_=True, type='TargetDataset', metainfo=_base_.metainfo,
    data_root=_base_.data_root, data_prefix=dict(img='target/'),
    test_mode=True,
    pipeline=[_base_.load, _base_.resize, _base_.labels, _base_.pack]))
val_evaluator = []
"""
)
# A loop that draws flips from the generators of the process.
PLAIN = """
model = dict(
    domain_neck=None, instance_domain_head=None, loss_consistency=None)
train_cfg = dict(
    _delete_=True, type='IterBasedTrainLoop', max_iters=6, val_interval=2)
custom_hooks = [
    dict(type='Recorder'), dict(type='EMAHook', priority='NORMAL')]
"""


@pytest.fixture
def runner(tiny_config, tmp_path):
    def make(text: str) -> Runner:
        cfg = Config.fromfile(derive(tiny_config, tmp_path, text))
        cfg.work_dir = str(tmp_path / 'run')
        cfg.experiment_name = f'fis_loop_{next(numbers)}'
        return Runner.from_cfg(cfg)

    return make


def state(runner: Runner) -> list:
    """Weights and generators."""
    return [
        *(weight.clone() for weight in runner.model.state_dict().values()),
        torch.get_rng_state(),
        torch.tensor(np.random.get_state()[1].astype(np.int64)),
        torch.tensor(random.getstate()[1]),
    ]


def test_fis_alone(runner):
    run = runner(UNLABELLED)
    before, val_step = state(run), run.model.val_step
    # A detector may draw numbers when it predicts.
    run.model.val_step = lambda batch: (torch.rand(1), val_step(batch))[1]
    metrics = run.val()
    assert all(map(torch.equal, before, state(run)))

    def detect() -> list:
        dataset, model = run.val_dataloader.dataset, run.model
        samples = [dataset[i] for i in (0, 2, 5)]  # of 8, every 8 / 3
        batches = map(run.val_dataloader.collate_fn, [[s] for s in samples])
        return [model.val_step(b)[0].pred_instances.cpu() for b in batches]

    with torch.no_grad():
        assert metrics == {'fis': pytest.approx(fis(run.model, detect, 2))}
    assert -1 <= metrics['fis'] < 1


def test_labels_are_scored_as_ever(runner):
    assert {'coco/bbox_mAP', 'fis'} <= runner(LOOP).val().keys()


@pytest.mark.parametrize('part', ['teacher', 'student'])
def test_of_two_detectors_the_one_that_predicts(runner, part):
    text = f"{TEACHER}{UNLABELLED}model['predict_on'] = '{part}'\n"
    run = runner(text)
    assert run.val_loop.predictor() is getattr(run.model, part)


def test_processes_share_the_images(runner, monkeypatch):
    loop = runner(UNLABELLED).val_loop
    loop.runner.load_or_resume()
    loop.runner.model.eval()
    whole, own = loop.fis(), []
    monkeypatch.setattr(fis_loop, 'get_world_size', lambda: 2)
    for rank in range(2):
        monkeypatch.setattr(fis_loop, 'get_rank', lambda rank=rank: rank)
        assert len(loop.detections()) == (2, 1)[rank]
        monkeypatch.setattr(
            fis_loop, 'all_gather_object', lambda x: own.append(x) or [*own]
        )
        parts = loop.fis()
    assert parts == whole


def test_a_training_is_the_same_with_it(tiny_config, tmp_path):
    """And the steadiest checkpoint is kept."""
    flip = UNLABELLED.replace('_base_.pack', '_base_.flip, _base_.pack')
    config = derive(tiny_config, tmp_path, PLAIN + flip)
    best = dict(save_best='fis', rule='less')
    options = {f'default_hooks__checkpoint__{k}': v for k, v in best.items()}
    ours = train(config, tmp_path / 'with', **options)
    theirs = train(config, tmp_path / 'without', train_cfg__val_begin=100)
    assert ours == theirs
    average, other = (
        torch.load(tmp_path / name / 'iter_6.pth', weights_only=False)
        for name in ('with', 'without')
    )
    assert digest(average['state_dict']) == digest(other['state_dict'])
    found = {
        line['step']: line['fis']
        for line in logged(tmp_path / 'with')
        if 'fis' in line
    }
    assert sorted(found) == [2, 4, 6]
    steadiest = min(found, key=found.get)
    (kept,) = (tmp_path / 'with').glob('best_fis*.pth')
    assert kept.name == f'best_fis_iter_{steadiest}.pth'


@pytest.mark.parametrize(('name', 'value'), [('num', 0), ('draws', 1.5)])
def test_nothing_to_look_at(runner, name, value):
    """Told before a training, not at its first validation."""
    text = UNLABELLED + f"val_cfg['{name}'] = {value}\n"
    run = runner(text)
    with pytest.raises(
        ValueError,
        match=f'{name} must be an integer of at least 1, got {value}',
    ):
        print(run.val_loop)

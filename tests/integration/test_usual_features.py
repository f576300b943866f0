"""What users of MMDetection expect to work, works."""

import pytest
import torch
from mmdet.apis import inference_detector, init_detector

from launching import derive, evaluate, train

NO_DOMAINS = """
model = dict(
    domain_neck=None, instance_domain_head=None, loss_consistency=None)
train_cfg = dict(
    _delete_=True, type='SeededTrainLoop', max_iters=6, val_interval=6)
"""
DOMAIN_PREFIXES = ('domain_neck.', 'instance_domain_head.')


def load(work_dir) -> dict:
    return torch.load(work_dir / 'iter_6.pth', weights_only=False)


def rates(lines: list) -> list:
    return [line['lr'] for line in lines]


def test_moving_average(tiny_config, tmp_path):
    config = derive(
        tiny_config,
        tmp_path,
        "custom_hooks = [dict(type='Recorder'), dict(type='EMAHook')]",
    )
    train(config, tmp_path / 'run')
    checkpoint = load(tmp_path / 'run')
    average, weights = (checkpoint['state_dict'], checkpoint['ema_state_dict'])
    assert {f'module.{k}' for k in average} == set(weights) - {'steps'}
    for prefix in ('backbone.', *DOMAIN_PREFIXES):
        assert any(
            not v.equal(weights[f'module.{k}'])
            for k, v in average.items()
            if k.startswith(prefix)
        )
    lines = train(config, tmp_path / 'run', '--resume', train_cfg__max_iters=8)
    assert [line['iter'] for line in lines] == list(range(1, 9))


def test_gradient_accumulation(tiny_config, tmp_path):
    lines = train(tiny_config, tmp_path, optim_wrapper__accumulative_counts=2)
    weights = [line['weights'] for line in lines]
    # An iteration's line is written after its step.
    assert weights[1] == weights[2] and weights[3] == weights[4]
    assert len(set(weights)) == 4


def test_the_rate_scales_with_the_source_images(tiny_config, tmp_path):
    options = dict(
        train_dataloader__batch_size=4,
        train_cfg__target_dataloader__batch_size=1,
    )
    plain = train(tiny_config, tmp_path / 'a', **options)
    scaled = train(tiny_config, tmp_path / 'b', '--auto-scale-lr', **options)
    # auto_scale_lr.base_batch_size is 2.
    assert rates(scaled) == pytest.approx([2 * lr for lr in rates(plain)])
    with pytest.raises(SystemExit, match='base_batch_size'):
        train(tiny_config, tmp_path, '--auto-scale-lr', auto_scale_lr='{}')


def test_source_only_is_the_same_program(tiny_config, tmp_path):
    config = derive(tiny_config, tmp_path, NO_DOMAINS)
    lines = train(config, tmp_path / 'plain')
    assert [line['iter'] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert not any('da_' in name for name in lines[0]['losses'])
    adapted = train(tiny_config, tmp_path / 'adapted')
    assert [line['source'] for line in lines] == [
        line['source'] for line in adapted
    ]

    # A checkpoint of an adapted detector is one of the plain detector too.
    plain, full = [
        load(tmp_path / n)['state_dict'] for n in ('plain', 'adapted')
    ]
    extra = set(full) - set(plain)
    assert set(plain) < set(full)
    assert extra and all(name.startswith(DOMAIN_PREFIXES) for name in extra)
    checkpoint = tmp_path / 'adapted/iter_6.pth'
    assert (
        evaluate(config, checkpoint, tmp_path / 'a')
        == evaluate(tiny_config, checkpoint, tmp_path / 'b')
        > 0
    )


@pytest.mark.parametrize(
    'off, left',
    [
        ('domain_neck', {'instance'}),
        ('instance_domain_head', {'image'}),
        (None, {'image', 'instance', 'consistency'}),
    ],
)
def test_each_loss_can_be_switched_off(tiny_config, tmp_path, off, left):
    options = (
        {}
        if off is None
        else {f'model__{off}': None, 'model__loss_consistency': None}
    )
    lines = train(tiny_config, tmp_path, train_cfg__max_iters=1, **options)
    names = {n for n in lines[0]['losses'] if 'da_' in n}
    assert names == {f'loss_da_{n}' for n in left}


def test_the_inference_functions(tiny_data, tiny_config, tmp_path):
    train(tiny_config, tmp_path, train_cfg__max_iters=3)
    detector = init_detector(
        str(tiny_config), str(tmp_path / 'iter_3.pth'), device='cpu'
    )
    result = inference_detector(detector, str(tiny_data / 'test/test_0.png'))
    assert len(result.pred_instances.bboxes) > 0

"""Two processes are one with the images of both."""

import pytest
import torch
from mmengine.model import MMDistributedDataParallel

from launching import start_fork, wait

SHARDS = ([0], [1])


@pytest.fixture
def build_without_chance(build, model_cfg):
    """A detector that takes all anchors and proposals instead of drawing.

    So many of each image, too: with equal numbers the mean over processes is
    the mean over images.
    """
    everything = dict(num=10**6, pos_fraction=1.0)
    halves = dict(pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.5)
    cfg = model_cfg.train_cfg.copy()
    for stage in (cfg.rpn, cfg.rcnn):
        stage.sampler.update(everything)
        stage.assigner.update(halves)

    def build_loud():
        model = build(train_cfg=cfg)
        # So small at first that their part of the gradient would not show.
        for part in (model.domain_neck, model.instance_domain_head):
            part.grad_scale = 1.0
            for p in part.parameters():
                p.data *= 30
        return model

    return build_loud


def losses_and_gradients(model, batch, images, only: str = '') -> tuple:
    """Of some images of each domain; ``only``: of losses so called."""
    shard = {
        key: {d: [items[i] for i in images] for d, items in domains.items()}
        for key, domains in batch.items()
    }
    detector = getattr(model, 'module', model)
    data = detector.data_preprocessor(shard, True)
    total, log = detector.parse_losses(model(**data, mode='loss'))
    if only:
        total = sum(
            v
            for k, v in model(**data, mode='loss').items()
            if k.startswith(only)
        )
    total.backward()
    return (
        {k: v.item() for k, v in log.items()},
        {n: p.grad for n, p in detector.named_parameters() if p.requires_grad},
    )


def run_rank(build, batch, rank: int, folder) -> None:
    torch.distributed.init_process_group(
        'gloo', f'file://{folder}/store', rank=rank, world_size=2
    )
    model = MMDistributedDataParallel(build(), find_unused_parameters=False)
    for _ in range(2):  # the second fails where a parameter was left out
        for p in model.parameters():
            p.grad = None
        result = losses_and_gradients(model, batch, SHARDS[rank])
    torch.save(result, folder / f'{rank}.pth')
    torch.distributed.barrier()


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(
    build_without_chance, make_batch, tmp_path
):
    batch = make_batch(2, 2)
    children = [
        start_fork(run_rank, build_without_chance, batch, rank, tmp_path)
        for rank in range(2)
    ]
    assert [wait(child) for child in children] == [0, 0]
    (first, gradients), (second, others) = [
        torch.load(tmp_path / f'{rank}.pth') for rank in range(2)
    ]
    losses, expected = losses_and_gradients(
        build_without_chance(), batch, [0, 1]
    )
    assert {
        'loss_da_image',
        'loss_da_instance',
        'loss_da_consistency',
    } < losses.keys()
    for name, value in losses.items():
        if 'acc' not in name:
            mean = (first[name] + second[name]) / 2
            assert mean == pytest.approx(value, rel=1e-5), name
            # Or the mean would say nothing.
            assert first[name] != second[name], name
    adversarial = losses_and_gradients(
        build_without_chance(), batch, [0, 1], 'loss_da_image'
    )[1]
    assert adversarial['backbone.conv1.weight'].abs().max() > 1e-4
    assert gradients.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(gradients[name], others[name]), name
        # Processors add in other orders; a sum is as exact as its terms.
        torch.testing.assert_close(
            gradients[name],
            value,
            rtol=1e-4,
            atol=1e-4 * value.abs().max().item(),
            msg=name,
        )

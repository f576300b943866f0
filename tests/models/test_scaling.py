"""Two processes learn what one process learns from the images of both."""

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.model import MMDistributedDataParallel
from mmengine.structures import InstanceData
from torch import nn

from da_faster.engine import SelfTrainingHook
from da_faster.models import PseudoLabels
from launching import start_fork, wait

SHARDS = ([0], [1])
DOMAINS = ('source', 'target')


@pytest.fixture
def build_without_chance(build, model_cfg):
    """A detector that takes all anchors and proposals instead of sampling.

    Every image then has the same number of them, so the mean over processes
    equals the mean over images.
    """
    everything = dict(num=10**6, pos_fraction=1.0)
    halves = dict(pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.5)
    cfg = model_cfg.train_cfg.copy()
    for stage in (cfg.rpn, cfg.rcnn):
        stage.sampler.update(everything)
        stage.assigner.update(halves)

    def build_loud():
        model = build(train_cfg=cfg)
        # Initial weights are so small that their gradient would not matter.
        for part in (model.domain_neck, model.instance_domain_head):
            part.grad_scale = 1.0
            for p in part.parameters():
                p.data *= 30
        return model

    return build_loud


@pytest.fixture
def build_teacher(build_without_chance, model_cfg):
    """A MeanTeacher without sampling.

    Images have different numbers of labels. So that every image has the same
    number of anchors and RoIs, labels are not added to the proposals and none
    is ignored. Every image has a positive anchor, as MMDetection counts an
    image without one as if it had one.
    """

    def build_one(soft: bool):
        cfg = copy.deepcopy(model_cfg)
        for key in ('domain_neck', 'instance_domain_head', 'loss_consistency'):
            cfg[key] = None
        cfg.train_cfg.rpn.assigner.min_pos_iou = 0.0
        cfg.train_cfg.rcnn.sampler.add_gt_as_proposals = False
        cfg.test_cfg.rcnn.score_thr = 0.0
        torch.manual_seed(0)
        model = MODELS.build(
            dict(
                type='MeanTeacher',
                detector=cfg,
                # An untrained detector is sure of nothing.
                pseudo_labels=dict(
                    ratio=6, bounds=(0.01, 0.9), ignore_above=None
                ),
                weight_by_score=not soft,
                distillation=dict(type='TwoStageDistillation')
                if soft
                else None,
            )
        )
        model.init_weights()
        model.self_training, model.iteration = True, 1
        return model.train()

    return build_one


def losses_and_gradients(model, batch, images, only: str = '') -> tuple:
    """Losses and gradients of some images of each domain.

    ``only`` limits the gradients to losses whose names begin with it.
    """
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
    for _ in range(2):  # the second step fails if a parameter was left out
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
            # If both were equal, the mean would prove nothing.
            assert first[name] != second[name], name
    adversarial = losses_and_gradients(
        build_without_chance(), batch, [0, 1], 'loss_da_image'
    )[1]
    assert adversarial['backbone.conv1.weight'].abs().max() > 1e-4
    assert gradients.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(gradients[name], others[name]), name
        # Processes add in different orders, so sums differ by rounding.
        torch.testing.assert_close(
            gradients[name],
            value,
            rtol=1e-4,
            atol=1e-4 * value.abs().max().item(),
            msg=name,
        )


def self_train(model, batch: dict, images: list, steps: int = 3) -> dict:
    """Trains on some images; returns the first losses and the final state."""
    hook = SelfTrainingHook(burn_in=0, momentum=0.3)
    shard = {
        key: {d: [items[i] for i in images] for d, items in domains.items()}
        for key, domains in batch.items()
    }
    plain = getattr(model, 'module', model)
    optimizer = torch.optim.SGD(plain.student.parameters(), lr=0.02)
    for step in range(steps):
        data = plain.data_preprocessor(copy.deepcopy(shard), True)
        total, log = plain.parse_losses(model(**data, mode='loss'))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        hook.momentum_update(plain, 0.3)
        if not step:
            first = {k: v.item() for k, v in log.items()}
    return dict(losses=first, state=plain.state_dict())


def self_train_rank(build, batch, rank: int, folder) -> None:
    torch.distributed.init_process_group(
        'gloo', f'file://{folder}/store', rank=rank, world_size=2
    )
    model = MMDistributedDataParallel(build())
    torch.save(self_train(model, batch, SHARDS[rank]), folder / f'{rank}.pth')
    torch.distributed.barrier()


@pytest.mark.slow
@pytest.mark.parametrize('soft', [False, True])
def test_a_teacher_learns_as_much_from_two_processes(
    build_teacher, make_batch, tmp_path, soft
):
    batch = make_batch(2, 2)
    # More boxes on one process than on the other.
    first = batch['data_samples']['source'][0]
    first.gt_instances = first.gt_instances[:1]
    for parts in batch.values():
        parts['target_weak'] = copy.deepcopy(parts['target'])
    batch['inputs']['target'] = [255 - x for x in batch['inputs']['target']]
    children = [
        start_fork(
            self_train_rank,
            lambda: build_teacher(soft),
            batch,
            rank,
            tmp_path,
        )
        for rank in range(2)
    ]
    assert [wait(child) for child in children] == [0, 0]
    ranks = [torch.load(tmp_path / f'{rank}.pth') for rank in range(2)]
    start = build_teacher(soft).state_dict()
    one = self_train(build_teacher(soft), batch, [0, 1])
    for name, value in one['losses'].items():
        both = [rank['losses'][name] for rank in ranks]
        if 'pseudo' in name:  # counted over all processes
            assert both == pytest.approx([value] * 2, rel=1e-5), name
        elif 'target_loss' in name:
            assert sum(both) / 2 == pytest.approx(value, rel=1e-5), name
            assert both[0] != both[1], name
    ours, theirs = (rank['state'] for rank in ranks)
    for name, value in one['state'].items():
        assert torch.equal(ours[name], theirs[name]), name
        if name.startswith('pseudo_labels.') and 'score' not in name:
            assert torch.equal(ours[name], value), name
        else:
            # Differences of up to 2e-5 of the change were seen.
            moved = (value - start[name]).abs().max().item()
            torch.testing.assert_close(
                ours[name], value, rtol=0, atol=1e-3 * moved + 1e-6, msg=name
            )
    counts = [
        one['state'][f'pseudo_labels.statistics.{k}_images'].item()
        for k in DOMAINS
    ]
    assert counts == [3 * 2] * 2


def count_rank(detections: list, rank: int, folder) -> None:
    torch.distributed.init_process_group(
        'gloo', f'file://{folder}/store', rank=rank, world_size=2
    )
    labels = PseudoLabels(2, threshold=0.5)
    labels.statistics.count_source([torch.tensor([[0, 1], [1]][rank])])
    labels.select(detections[rank])
    norms = nn.ModuleDict(dict(student=nn.BatchNorm1d(1)))
    norms.teacher = copy.deepcopy(norms.student)
    norms.student.running_mean.fill_(4.0 * rank)
    norms.pseudo_labels = labels
    SelfTrainingHook(burn_in=0).momentum_update(norms, 0.5)
    state = dict(
        labels.statistics.state_dict(), mean=norms.teacher.running_mean
    )
    torch.save(state, folder / f'{rank}.pth')
    torch.distributed.barrier()


@pytest.mark.slow
def test_a_process_without_labels_counts(tmp_path):
    """Statistics of pseudo-labels and batch norms are those of both."""
    detections = [
        [
            InstanceData(
                bboxes=torch.zeros(len(scores), 4),
                labels=torch.ones(len(scores)).long(),
                scores=torch.tensor(scores),
            )
        ]
        for scores in ([], [0.75, 0.875, 0.25])
    ]
    children = [
        start_fork(count_rank, detections, rank, tmp_path) for rank in range(2)
    ]
    assert [wait(child) for child in children] == [0, 0]
    for rank in range(2):
        state = torch.load(tmp_path / f'{rank}.pth')
        assert state['source_images'] == state['target_images'] == 2
        assert state['source_boxes'].tolist() == [1, 2]
        assert state['labels_per_image'].tolist() == [
            0,
            1,
        ]  # two in two images
        assert state['scores'].tolist() == [0, 0.8125]
        assert state['empty_fraction'] == 0.5
        assert state['mean'].tolist() == [1]  # half way to 0 and to 4

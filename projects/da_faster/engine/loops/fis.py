"""How much detections change when the weights do: FIS, without labels."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

SMALL = 1e-3  # keeps logarithms finite
# No detection depends on these; a stock detector has none of them.
DOMAIN_PARTS = ('domain_neck.', 'instance_domain_head.')


def fis(
    model: nn.Module,
    detect: Callable[[], Sequence[InstanceData]],
    draws: int = 3,
    norm: float = 1.0,
    score: float = 0.05,
    seed: int = 0,
    before: Sequence[InstanceData] | None = None,
    gather: Callable[[list], list] = list,
) -> float:
    """The flatness index of DAS (NeurIPS 2024), for any detector.

    All weights are moved by a random vector of length ``norm``. The detections
    before and after are matched one to one at the lowest cost, -IoU +
    KL(class scores after || before). FIS is the mean cost of a match, averaged
    over images and draws: the lower, the less the detections depend on the
    exact weights.

    A detector's ``predict`` gives one score and its class, so here the class
    scores are that one and the rest, which is no object.

    Args:
        model (nn.Module): Its weights are as before afterwards.
        detect (callable): Detections of each image, with ``bboxes`` (n, 4),
            ``scores`` and ``labels`` (n,).
        draws (int): Random vectors.
        norm (float): Their length.
        score (float): Lowest score of a detection that counts.
        seed (int): Of the vectors.
        before (Sequence[InstanceData], optional): What ``detect`` gives with
            the weights as they are, where that is known already.
        gather (callable): From the costs in this process to those in all.

    Returns:
        float: FIS; NaN where no image has a detection before and after.
    """

    def above(found: Sequence[InstanceData]) -> list[InstanceData]:
        return [x[x.scores >= score] for x in found]

    before = above(detect() if before is None else before)
    costs = []
    for draw in range(draws):
        with moved(model, norm, seed + draw):
            after = above(detect())
        costs += [
            match_cost(ours, theirs)
            for ours, theirs in zip(before, after)
            if len(ours) and len(theirs)
        ]
    costs = gather(costs)
    return statistics.fmean(costs) if costs else float('nan')


@contextmanager
def moved(model: nn.Module, norm: float, seed: int) -> Iterator[None]:
    """The weights are moved by a random vector inside, and as before after."""
    generator = torch.Generator().manual_seed(seed)
    weights = [
        weight
        for name, weight in model.named_parameters()
        if not name.startswith(DOMAIN_PARTS)
    ]
    old = [weight.detach().clone() for weight in weights]
    steps = [
        torch.randn(weight.shape, generator=generator).to(weight)
        for weight in weights
    ]
    length = sum(step.square().sum() for step in steps).sqrt()
    try:
        with torch.no_grad():
            for weight, step in zip(weights, steps):
                weight.add_(step, alpha=float(norm / length))
        yield
    finally:
        with torch.no_grad():
            for weight, value in zip(weights, old):
                weight.copy_(value)


def match_cost(before: InstanceData, after: InstanceData) -> float:
    """Mean cost of the best matches of two sets of detections, not empty."""
    cost = -bbox_overlaps(before.bboxes, after.bboxes)
    cost += divergence(before, after)
    cost = cost.double().cpu().numpy()
    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].mean())


def divergence(before: InstanceData, after: InstanceData) -> Tensor:
    """KL(after || before) of each pair, (n before, n after)."""
    p = after.scores.clamp(SMALL, 1 - SMALL)[None]
    q = before.scores.clamp(SMALL, 1 - SMALL)[:, None]
    same = p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()
    # Of another class: what one calls an object has next to no mass in the
    # other, and the rest takes it all.
    none = torch.full_like(p, SMALL)
    other = p * (p / none).log() + (1 - p) * (1 - p).log()
    return torch.where(
        before.labels[:, None] == after.labels[None], same, other
    )

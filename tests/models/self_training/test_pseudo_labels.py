"""Labels out of the teacher's detections, by hand."""

import pytest
import torch
from mmengine.structures import InstanceData

from da_faster.models import PseudoLabels


def detections(*found: tuple) -> InstanceData:
    """(score, label) each, at a box of its own."""
    scores, labels = zip(*found) if found else ((), ())
    left = torch.arange(len(scores)).float()[:, None] * 10
    return InstanceData(
        bboxes=torch.cat([left, left * 0, left + 8, left * 0 + 8], dim=1),
        scores=torch.tensor(scores),
        labels=torch.tensor(labels, dtype=torch.long),
    )


def scores(parts) -> list:
    return [
        tuple([round(s, 3) for s in part.scores.tolist()] for part in image)
        for image in parts
    ]


IMAGES = [
    ((0.9, 0), (0.7, 1), (0.4, 0), (0.05, 1)),
    ((0.6, 0), (0.2, 1)),
    (),
]


@pytest.mark.parametrize(
    'options, wanted',
    [
        (
            dict(threshold=0.5),
            [([0.9, 0.7], [0.4]), ([0.6], [0.2]), ([], [])],
        ),
        (
            dict(threshold=[0.3, 0.8]),
            [([0.9, 0.4], [0.7]), ([0.6], [0.2]), ([], [])],
        ),
        (
            dict(threshold=0.5, ignore_above=None),
            [([0.9, 0.7], []), ([0.6], []), ([], [])],
        ),
    ],
)
def test_fixed_thresholds(options, wanted):
    labels = PseudoLabels(2, **options)
    found = [detections(*image) for image in IMAGES]
    assert scores(labels.select(found)) == wanted


def test_thresholds_that_follow_the_source_s_frequencies():
    labels = PseudoLabels(3, ratio=0.5, bounds=(0.3, 0.9), window=4)
    # Two images: class 0 twice an image, class 1 once, class 2 never.
    labels.statistics.count_source(
        [torch.tensor([0, 0, 1]), torch.tensor([1, 0, 0])]
    )
    assert labels.statistics.source_boxes_per_image.tolist() == [2, 1, 0]
    # Two target images: 2 boxes of class 0 are wanted, 1 of class 1.
    found = [
        detections((0.8, 0), (0.6, 0), (0.25, 1), (0.95, 2), (0.4, 2)),
        detections((0.7, 0), (0.1, 1)),
    ]
    parts = labels.select(found)
    # Class 1 is cut at the lowest bound, class 2 stands at the highest.
    assert labels.thresholds.tolist() == pytest.approx([0.7, 0.3, 0.9])
    assert scores(parts) == [([0.8, 0.95], [0.6, 0.25, 0.4]), ([0.7], [0.1])]
    # With the next two, 4 boxes of class 0 among 0.8, 0.7, 0.6, 0.5, 0.35.
    labels.select([detections((0.5, 0)), detections((0.35, 0), (0.85, 1))])
    assert labels.thresholds.tolist() == pytest.approx([0.5, 0.3, 0.9])
    # The window is full, so the first two are forgotten: 0.5, 0.45, 0.4 and
    # 0.35 are left.
    labels.select([detections((0.45, 0)), detections((0.4, 0))])
    assert labels.thresholds.tolist() == pytest.approx([0.35, 0.3, 0.9])


def test_labels_cannot_make_ever_more_labels():
    """Two an image at first, so four at most; then scores rise."""
    labels = PseudoLabels(
        1, threshold=0.5, statistics_window=2, window=2, max_growth=2.0
    )
    few = detections((0.9, 0), (0.6, 0), (0.3, 0))
    labels.select([few] * 2)
    assert labels.statistics.first_labels_per_image.tolist() == [2]
    many = detections(*((0.9 - i / 100, 0) for i in range(6)))
    ((kept, uncertain), _) = labels.select([many] * 2)
    # The eighth best of two images.
    assert kept.scores.tolist() == pytest.approx([0.9, 0.89, 0.88, 0.87])
    assert len(uncertain) == 2  # no background
    # Where there are few, the threshold is the config's again.
    ((kept, _), _) = labels.select([few] * 2)
    assert kept.scores.tolist() == pytest.approx([0.9, 0.6])
    labels.reset()
    assert labels.thresholds.tolist() == [0.5]


def test_thresholds_of_a_config_stay_the_config_s():
    first, second = (PseudoLabels(2, threshold=x) for x in (0.5, 1))
    second.load_state_dict(first.state_dict())
    assert second.thresholds.tolist() == [1, 1]


def test_whole_numbers_are_scores_too():
    labels = PseudoLabels(1, bounds=(0.25, 1), ratio=1.0)
    labels.statistics.count_source([torch.tensor([0])])
    labels.select([detections((0.5, 0))])
    assert labels.thresholds.tolist() == [0.5]


def test_what_was_learned_is_forgotten():
    labels = PseudoLabels(2)
    fresh = {name: x.clone() for name, x in labels.state_dict().items()}
    labels.statistics.count_source([torch.tensor([0, 1])])
    labels.select([detections((0.95, 0), (0.5, 1))])
    assert any(not torch.equal(x, fresh[n]) for n, x in labels.named_buffers())
    labels.reset()
    for name, value in labels.state_dict().items():
        assert torch.equal(value, fresh[name]), name


def test_a_checkpoint_holds_all_that_it_learned():
    def step(labels: PseudoLabels, seed: int) -> list:
        g = torch.Generator().manual_seed(seed)
        labels.statistics.count_source(
            [torch.randint(0, 2, (3,), generator=g)]
        )
        drawn = torch.rand(6, generator=g).tolist()
        return scores(labels.select([detections(*zip(drawn, [0, 1] * 3))]))

    whole, first, second = (PseudoLabels(2, window=5) for _ in range(3))
    for seed in range(7):
        step(whole, seed)
        step(first, seed)
    second.load_state_dict(first.state_dict())
    for seed in range(7, 12):
        assert step(whole, seed) == step(second, seed)


@pytest.mark.parametrize(
    'options, sentence',
    [
        (dict(threshold='often'), "numbers or 'frequency', got 'often'"),
        (dict(threshold=[0.5]), '1 thresholds for 2 classes'),
        (dict(threshold=1.5), r'threshold must lie in \(0, 1\]'),
        (dict(ignore_above=0.0), 'ignore_above must lie in'),
        (dict(bounds=(0.9, 0.3)), 'bounds must ascend'),
        (dict(window=0), 'window must be positive'),
    ],
)
def test_wrong_options(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        PseudoLabels(2, **options)

"""Statistics of the pseudo-labels, by hand."""

import re

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from da_faster.models.self_training.label_statistics import LabelStatistics


def labelled(*found: tuple) -> InstanceData:
    """Pseudo-labels of an image, (score, label) each."""
    scores, labels = zip(*found) if found else ((), ())
    return InstanceData(
        scores=torch.tensor(scores),
        labels=torch.tensor(labels, dtype=torch.long),
    )


def test_what_it_counts():
    statistics = LabelStatistics(2, window=4)
    statistics.count_target([labelled((0.9, 0), (0.8, 0)), labelled((0.9, 1))])
    assert statistics.labels_per_image.tolist() == [1, 0.5]
    assert statistics.scores.tolist() == pytest.approx([0.85, 0.9])
    assert statistics.empty_fraction == 0
    # Too few images to say.
    assert statistics.most_labels_per_image.tolist() == [0, 0]
    statistics.count_target([labelled(), labelled()])
    assert (
        statistics.labels_per_image.tolist()
        == statistics.most_labels_per_image.tolist()
        == [0.5, 0.25]
    )
    assert statistics.empty_fraction == 0.5
    # From now on a batch of two counts a half. Scores are of boxes alone.
    statistics.count_target([labelled((0.75, 0), (0.75, 0)), labelled()])
    assert statistics.labels_per_image.tolist() == [0.75, 0.125]
    assert statistics.most_labels_per_image.tolist() == [0.75, 0.25]
    assert statistics.scores.tolist() == pytest.approx([0.8, 0.9])
    assert statistics.best_scores.tolist() == pytest.approx([0.85, 0.9])
    assert statistics.empty_fraction == 0.5


def test_confidence_is_compared_with_its_best():
    statistics = LabelStatistics(1, window=2)
    for score, less in ((0.9, False), (0.8, False), (0.7, True)):
        statistics.count_target([labelled((score, 0))] * 2)
        assert statistics.less_confident == less  # below 0.72
    assert statistics.first_labels_per_image.tolist() == [1]
    statistics.count_target([labelled((0.9, 0), (0.9, 0))] * 2)
    assert not statistics.less_confident
    assert statistics.first_labels_per_image.tolist() == [1]


def test_classes_are_at_their_best_at_different_times():
    """One box of 0.9 an image, first of class 0 and then of class 1."""
    statistics = LabelStatistics(2, window=2)
    assert statistics.confidence == 1  # nothing is known
    for label in (0, 1):
        statistics.count_target([labelled((0.9, label))] * 2)
        assert statistics.confidence == 1
        assert statistics.most_labels_of_all == 1
    assert statistics.most_labels_per_image.tolist() == [1, 1]
    statistics.count_target([labelled((0.6, 1))] * 2)
    assert statistics.confidence.item() == pytest.approx(0.6 / 0.9)


def counted(kept, most, source, images=1000, score=(), best=()):
    """Statistics over a window of 200 images."""
    statistics = LabelStatistics(len(kept), window=200)
    statistics.labels_per_image.copy_(torch.tensor(kept))
    statistics.most_labels_per_image.copy_(torch.tensor(most))
    statistics.scores.copy_(torch.tensor(score or [0.9] * len(kept)))
    statistics.best_scores.copy_(torch.tensor(best or [0.9] * len(kept)))
    statistics.most_labels_of_all.fill_(sum(most))
    statistics.best_score_sum.copy_(
        (statistics.most_labels_per_image * statistics.best_scores).sum()
    )
    statistics.source_boxes.copy_(torch.tensor(source))
    statistics.source_images.fill_(1)
    statistics.target_images.fill_(images)
    return statistics


@pytest.mark.parametrize(
    'kept, most, source, signs',
    [
        ([1.0, 0.5], [1.2, 0.6], [2.0, 1.0], {}),
        ([0.05, 0.05], [1.0, 0.6], [2.0, 1.0], {'vanish': '0.10 boxes'}),
        ([0.0, 0.0], [0.0, 0.0], [2.0, 1.0], {'none': 'no pseudo-label'}),
        ([6.0, 4.0], [6.0, 4.0], [2.0, 1.0], {'explode': '10.0 boxes'}),
        # The dog fades, and with it goes the balance.
        (
            [1.0, 0.04],
            [1.0, 0.4],
            [2.0, 1.0],
            {'one class': '96% .* cat', 'fading dog': 'dog fade: 0.040'},
        ),
        # One that is rare fades, too: 30 boxes in 200 images, then 2.
        ([1.0, 0.01], [1.0, 0.15], [2.0, 0.2], {'fading dog': '0.010'}),
        # 10 boxes, then 2: that happens by chance.
        ([1.0, 0.01], [1.0, 0.05], [2.0, 0.05], {}),
        ([1.0, 0.0], [1.0, 0.0], [2.0, 0.1], {'no dog': 'hardly any'}),
        # Where the source, too, has one class alone, nothing is wrong.
        ([1.0, 0.0], [1.0, 0.0], [2.0, 0.0], {}),
    ],
)
def test_signs_of_collapse(kept, most, source, signs):
    found = counted(kept, most, source).signs_of_collapse(['cat', 'dog'])
    assert found.keys() == signs.keys()
    for key, words in signs.items():
        assert re.search(words, found[key])
    few = counted(kept, most, source, images=199)
    assert few.signs_of_collapse(['cat', 'dog']) == {}


def test_without_a_source_the_first_labels_are_the_measure():
    statistics = counted([7.0, 0.1], [7.0, 0.5], [0.0, 0.0])
    statistics.source_images.zero_()
    statistics.first_labels_per_image.copy_(torch.tensor([1.0, 0.5]))
    found = statistics.signs_of_collapse(['cat', 'dog'])
    assert 'at first there were 1.5' in found['explode']
    assert 'at first there were 67%' in found['one class']
    statistics.labels_per_image.copy_(torch.tensor([3.0, 0.5]))
    assert statistics.signs_of_collapse(['cat', 'dog']) == {}


def test_no_label_from_the_first_on_is_told():
    nothing = [0.0, 0.0]
    statistics = counted(nothing, nothing, nothing)
    statistics.source_images.fill_(0)
    (said,) = statistics.signs_of_collapse(['cat', 'dog']).values()
    assert 'no pseudo-label at all' in said


def test_labels_that_keep_their_number_and_lose_their_scores():
    """Thresholds by frequency make such labels."""
    counts = [1.0, 0.5], [1.0, 0.5], [2.0, 1.0]
    for now, signs in ((0.7, []), (0.5, ['uncertain dog'])):
        statistics = counted(*counts, score=[0.9, now], best=[0.9, 0.9])
        assert list(statistics.signs_of_collapse(['cat', 'dog'])) == signs


def test_numbers_that_scatter_are_no_collapse():
    """A steady teacher over 20,000 images is never warned of."""
    rng = np.random.default_rng(0)
    statistics = LabelStatistics(2, window=200)
    statistics.count_source([torch.tensor([0, 0, 1])])
    for _ in range(10_000):
        drawn = rng.poisson([1.0, 0.1], (2, 2))
        statistics.count_target(
            [
                InstanceData(
                    labels=torch.tensor([0] * a + [1] * b, dtype=torch.long),
                    scores=torch.full((a + b,), 0.9),
                )
                for a, b in drawn
            ]
        )
        assert statistics.signs_of_collapse(['cat', 'dog']) == {}

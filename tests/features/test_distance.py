"""Proxy A-distances by hand."""

import numpy as np
import pytest

from da_faster.errors import UserError
from da_faster.features import proxy_a_distance


def test_domains_far_apart():
    """The interval has a width without errors: 1 of 12 smoothed images."""
    noise = np.random.default_rng(0).normal(size=(20, 3))
    source, target = noise[:10], noise[10:] + 50
    images = np.arange(10)
    found = proxy_a_distance(source, target, images, images)
    assert (found.value, found.error, found.images) == (2, 0, (10, 10))
    variance = 1 / 12 * 11 / 12 / 10
    assert found.half == pytest.approx(2 * 1.645 * (2 * variance) ** 0.5)
    assert str(found) == '2.00 ± 0.41'


def test_the_error_is_the_mean_of_both_domains():
    """Equal features get one domain, which is right for half of the mean."""
    found = proxy_a_distance(
        np.ones((4, 2)), np.ones((12, 2)), np.arange(4), np.arange(12)
    )
    assert (found.value, found.error) == (0, 0.5)


def test_boxes_of_one_image_do_not_help_each_other():
    """Each image has five equal boxes of its own random vector.

    A classifier that was trained on boxes of the image is never wrong.
    """
    vectors = np.random.default_rng(0).normal(size=(40, 60)).repeat(5, axis=0)
    images = np.arange(20).repeat(5)
    found = proxy_a_distance(vectors[:100], vectors[100:], images, images)
    assert found.error > 0.3


def test_an_image_counts_once_whatever_its_boxes():
    """One of ten source images looks like the target and has 91 boxes."""
    images = np.concatenate([np.arange(9), np.full(91, 9)])
    source = np.where(images == 9, 5.0, -5.0)[:, None]
    target = np.full((10, 1), 5.0)
    found = proxy_a_distance(source, target, images, np.arange(10))
    # The classifier that has not seen the image calls it target.
    assert found.error == pytest.approx(0.05)
    assert found.value == pytest.approx(1.8)


def test_the_seed_fixes_the_distance():
    noise = np.random.default_rng(0).normal(size=(30, 4))
    images = np.arange(15)
    first, again, other = (
        proxy_a_distance(noise[:15], noise[15:] + 0.5, images, images, seed)
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_a_single_image_is_refused():
    one = np.zeros(3, int)
    with pytest.raises(UserError, match='got 1 of the source and 3 of the'):
        proxy_a_distance(np.ones((3, 2)), np.ones((3, 2)), one, np.arange(3))

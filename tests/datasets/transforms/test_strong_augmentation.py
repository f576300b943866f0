"""Strong augmentation: colours by hand, blur, erased rectangles."""

import numpy as np
import pytest

from da_faster.datasets import StrongAugmentation
from da_faster.datasets.transforms.strong_augmentation import erase, jitter

OFF = dict(jitter_prob=0.0, grey_prob=0.0, blur_prob=0.0)


def picture(height: int = 60, width: int = 80) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def apply(image, seed: int = 0, **options) -> np.ndarray:
    np.random.seed(seed)
    transform = StrongAugmentation(**{**OFF, **options})
    return transform(dict(img=image.copy()))['img']


def test_the_input_image_is_left_alone():
    """The input may be shared: a target's weak view is the same image."""
    image = picture()
    np.random.seed(0)
    StrongAugmentation(**OFF, erase=[(1, (0.1, 0.2), (1, 2))])(dict(img=image))
    assert (image == picture()).all()


def test_floats_of_an_earlier_distortion():
    """PhotoMetricDistortion gives floats, some below 0 or above 255."""
    image = picture()
    image[0, 0], image[0, 1] = 0, 255
    floats = image + np.float32(0.3)
    floats[0, 0], floats[0, 1] = -40, 300
    for name in ('jitter_prob', 'grey_prob', 'blur_prob'):
        result = apply(floats, **{name: 1})
        assert result.dtype == np.uint8
        assert (result == apply(image, **{name: 1})).all(), name


def test_off_it_changes_nothing():
    assert (apply(picture()) == picture()).all()


@pytest.mark.parametrize(
    'factors, expected',
    [
        # Mean grey: (0.114 * 100 + 0.587 * 50 + 0.299 * 150) = 85.6.
        ((1, 1, 1), (100, 50, 150)),
        ((0.5, 1, 1), (93, 68, 118)),
        ((1, 1.5, 1), (150, 75, 225)),
        ((1, 2, 1), (200, 100, 255)),
        ((1, 1, 0), (86, 86, 86)),
        ((1, 1, 1.4), (106, 36, 176)),
    ],
)
def test_jitter(factors, expected):
    """Contrast, brightness and saturation of one pixel by hand."""
    image = np.array([[[100, 50, 150]]], np.uint8)
    assert tuple(jitter(image, *factors)[0, 0]) == expected


def test_grey_is_the_luminance():
    image = np.full((4, 4, 3), (100, 50, 150), np.uint8)
    assert (apply(image, grey_prob=1.0) == 86).all()


def test_each_channel_is_blurred_by_itself():
    image = np.zeros((41, 41, 3), np.uint8)
    image[20, 20] = 0, 255, 0
    blurred = apply(image, blur_prob=1.0, blur_sigma=(1.0, 1.0))
    assert not blurred[..., [0, 2]].any()
    # The peak of a two-dimensional Gaussian is 1 / (2 pi sigma^2).
    assert blurred[20, 20, 1] == pytest.approx(255 / (2 * np.pi), abs=2)
    assert blurred.sum() == pytest.approx(255, abs=25)


def test_a_rectangle_is_erased():
    """The rectangle has the given area and shape; other pixels stay."""
    for seed in range(20):
        np.random.seed(seed)
        image = np.zeros((100, 200, 3), np.uint8)
        erase(image, (0.1, 0.1), (2.0, 2.0))
        rows, columns = np.nonzero(image.any(2))
        h, w = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert (h, w) == (63, 32)  # sqrt(2000 * 2), sqrt(2000 / 2)
        assert len(rows) == pytest.approx(h * w, abs=3)
        # Levels are uniform: their variance is (256^2 - 1) / 12.
        assert image[rows, columns].std() == pytest.approx(73.9, abs=2)


def test_shapes_are_drawn_evenly_by_their_logarithm():
    ratios = []
    np.random.seed(0)
    for _ in range(400):
        image = np.zeros((200, 200, 3), np.uint8)
        erase(image, (0.02, 0.02), (0.25, 4.0))
        rows, columns = np.nonzero(image.any(2))
        ratios.append((np.ptp(rows) + 1) / (np.ptp(columns) + 1))
    assert 0.4 < np.mean(np.array(ratios) > 1) < 0.6
    assert 0.24 < min(ratios) < 0.3 and 3.3 < max(ratios) < 4.2


def test_nothing_is_erased_by_default():
    """With ALDI++'s three, 0.3 * 0.5 * 0.7 of the images have no rectangle."""
    assert (apply(picture()) == picture()).all()
    spared = [
        (apply(picture(), seed, erase=True) == picture()).all()
        for seed in range(300)
    ]
    assert 0.06 < np.mean(spared) < 0.15


def test_probabilities():
    changed = [
        (apply(picture(), seed, grey_prob=0.2) != picture()).any()
        for seed in range(200)
    ]
    assert 0.13 < np.mean(changed) < 0.27


def test_seeded():
    results = [
        StrongAugmentation(erase=True)(dict(img=picture()))['img']
        for seed in (3, 3, 4)
        if np.random.seed(seed) is None
    ]
    assert (results[0] == results[1]).all()
    assert (results[0] != results[2]).any()
    assert results[0].dtype == np.uint8


@pytest.mark.parametrize(
    'options, sentence',
    [
        (dict(grey_prob=1.5), 'grey_prob must be between 0 and 1, got 1.5'),
        (dict(blur_sigma=(2, 1)), r'blur_sigma must be .* got \(2, 1\)'),
        (dict(erase=[(2, (0.1, 0.2), (1, 2))]), r'erase\[0\]\[0\] must be'),
        (dict(erase=[(1, (0, 0.2), (1, 2))]), r'erase\[0\]\[1\] must be'),
    ],
)
def test_bad_options(options, sentence):
    with pytest.raises(ValueError, match=f'StrongAugmentation: {sentence}'):
        StrongAugmentation(**options)

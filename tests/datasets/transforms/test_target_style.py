"""Target colours: every method by its statistics, and the cache."""

import json

import cv2
import numpy as np
import pytest

from da_faster.datasets import TargetStyle

RNG = np.random.default_rng(0)
SOURCE = RNG.integers(60, 140, (48, 64, 3), dtype=np.uint8)


@pytest.fixture
def target(tmp_path) -> dict:
    """A target of one image: dark blue left, bright yellow right."""
    image = np.zeros((96, 128, 3), np.int64)
    image[:, :64] = 90, 40, 20
    image[:, 64:] = 60, 180, 200
    image += RNG.integers(-15, 16, image.shape)
    cv2.imwrite(str(tmp_path / 'a.png'), image.clip(0, 255).astype(np.uint8))
    return dict(type='TargetDataset', data_prefix=dict(img=str(tmp_path)))


def style(target, image=SOURCE, seed: int = 0, **options) -> np.ndarray:
    np.random.seed(seed)
    transform = TargetStyle(target, **{'prob': 1.0, **options})
    return transform(dict(img=image.copy()))['img']


def read(target) -> np.ndarray:
    return cv2.imread(f'{target["data_prefix"]["img"]}/a.png')


def test_statistics_of_the_whole_image(target):
    result = style(target).astype(float)
    wanted = read(target).astype(float)
    # Not exactly, as levels are clipped to 0 and 255.
    assert result.mean((0, 1)) == pytest.approx(wanted.mean((0, 1)), abs=2)
    assert result.std((0, 1)) == pytest.approx(wanted.std((0, 1)), rel=0.2)
    # The map of each channel is linear, so the order of levels is kept.
    for c in range(3):
        pairs = np.stack([SOURCE[..., c].ravel(), result[..., c].ravel()])
        assert np.corrcoef(pairs)[0, 1] > 0.99


def test_statistics_by_hand(tmp_path):
    """(I - m_s) / (s_s + 4) * (s_t + 4) + m_t."""
    wanted = np.full((4, 4, 3), 100, np.uint8)
    wanted[:2] = 120  # mean 110, deviation 10
    cv2.imwrite(str(tmp_path / 'a.png'), wanted)
    image = np.full((4, 4, 3), 50, np.uint8)
    image[:2] = 54  # mean 52, deviation 2
    target = dict(type='TargetDataset', data_prefix=dict(img=str(tmp_path)))
    result = style(target, image)
    assert set(result[:2].ravel()) == {round(2 / 6 * 14 + 110)}
    assert set(result[2:].ravel()) == {round(-2 / 6 * 14 + 110)}


def test_local_statistics_follow_the_place(target):
    left = right = False
    for seed in range(12):
        result = style(target, seed=seed, region=0.15)
        halves = [half.mean() for half in (result[:, :24], result[:, 40:])]
        left |= halves[0] < 75 and halves[1] > 120
        right |= halves[1] < 75 and halves[0] > 120  # mirrored
    assert left and right


def test_histogram(target):
    result = style(target, method='histogram')
    wanted = read(target)
    for c in range(3):
        percents = [5, 25, 45, 55, 75, 95]
        assert np.percentile(result[..., c], percents) == pytest.approx(
            np.percentile(wanted[..., c], percents), abs=4
        )
        assert set(result[..., c].ravel()) <= set(range(256))


@pytest.mark.parametrize(
    'options',
    [
        dict(method='histogram'),
        dict(method='fourier'),
        dict(method='statistics'),
        dict(method='statistics', region=0.2),
    ],
)
def test_floats_of_an_earlier_distortion(target, options):
    """PhotoMetricDistortion gives floats, some below 0 or above 255."""
    image = SOURCE.copy()
    image[0, 0], image[0, 1] = 0, 255
    floats = image + np.float32(0.3)
    floats[0, 0], floats[0, 1] = -40, 300
    result = style(target, floats, **options)
    assert result.dtype == np.uint8
    assert (result == style(target, image, **options)).all()


def test_fourier_takes_the_mean_and_keeps_the_details(target):
    result = style(target, method='fourier', beta=0.01).astype(float)
    wanted = read(target).mean((0, 1))
    assert result.mean((0, 1)) == pytest.approx(wanted, abs=6)
    details = [x - cv2.blur(x, (9, 9)) for x in (SOURCE.astype(float), result)]
    inner = [x[8:-8, 8:-8].ravel() for x in details]
    assert np.corrcoef(inner)[0, 1] > 0.9


@pytest.mark.parametrize('method', ['histogram', 'statistics', 'fourier'])
def test_the_image_s_own_style_changes_little(tmp_path, method):
    smooth = cv2.GaussianBlur(SOURCE, (0, 0), 2)
    cv2.imwrite(str(tmp_path / 'a.png'), smooth)
    target = dict(type='TargetDataset', data_prefix=dict(img=str(tmp_path)))
    result = style(target, smooth, method=method)
    difference = np.abs(result.astype(float) - smooth)
    assert difference.mean() < 3


def test_strength_and_probability(target):
    assert (style(target, prob=0.0) == SOURCE).all()
    assert (style(target, strength=0.0) == SOURCE).all()
    whole, half = style(target), style(target, strength=0.5)
    mean = (whole.astype(float) + SOURCE) / 2
    uncut = (whole > 0) & (whole < 255)
    assert np.abs(half - mean)[uncut].max() <= 1
    transform = TargetStyle(target, prob=0.3)
    np.random.seed(0)
    changed = [
        (transform(dict(img=SOURCE.copy()))['img'] != SOURCE).any()
        for _ in range(100)
    ]
    assert 0.15 < np.mean(changed) < 0.45


def test_the_result_does_not_depend_on_the_cache(tmp_path):
    """A resumed run starts with an empty cache, and sees the same images."""
    for i in range(5):
        image = np.full((20, 20, 3), 40 * i, np.uint8)
        cv2.imwrite(str(tmp_path / f'{i}.png'), image)
    target = dict(type='TargetDataset', data_prefix=dict(img=str(tmp_path)))

    def stream(transform, seeds) -> list:
        found = []
        for seed in seeds:
            np.random.seed(seed)
            found.append(transform(dict(img=SOURCE.copy()))['img'].mean())
        return found

    options = dict(region=0.2, prob=1.0)
    whole = stream(TargetStyle(target, **options), range(20))
    assert len(set(whole)) > 3
    tiny = TargetStyle(target, **options, cache_mb=0.01)
    assert stream(tiny, range(20)) == whole
    assert stream(TargetStyle(target, **options), range(9, 20)) == whole[9:]
    assert tiny.cached <= 10486 or len(tiny.cache) == 1


def test_labels_cannot_come_in(target, tmp_path):
    coco = dict(
        images=[dict(id=0, file_name='a.png', height=96, width=128)],
        annotations=[
            dict(id=1, image_id=0, category_id=1, bbox=[1, 1, 9, 9], area=81,
                 iscrowd=0)
        ],
        categories=[dict(id=1, name='car')],
    )  # fmt: skip
    (tmp_path / 'labels.json').write_text(json.dumps(coco))
    labelled = dict(target, ann_file=str(tmp_path / 'labels.json'))
    assert (style(labelled) == style(target)).all()
    with pytest.raises(ValueError, match="of type='TargetDataset'"):
        TargetStyle(dict(labelled, type='CocoDataset'))


@pytest.mark.parametrize(
    'options, sentence',
    [
        (dict(method='mean'), "method must be one of .*, got 'mean'"),
        (dict(prob=2), 'prob must be between 0 and 1, got 2'),
        (dict(beta=0.6), 'beta must be between 0 and 0.5, got 0.6'),
        (dict(region=0.0), 'region is a positive number'),
        (dict(region=0.1, method='fourier'), 'region is a positive number'),
    ],
)
def test_bad_options(target, options, sentence):
    with pytest.raises(ValueError, match=f'TargetStyle: {sentence}'):
        TargetStyle(target, **options)

"""Confidence intervals of differences in AP50."""

import json
from pathlib import Path

import numpy as np
import pytest

from da_faster.benchmarking import adaptation
from da_faster.benchmarking.certainty import (
    Gain,
    bootstrap_gains,
    measure_gain,
)
from da_faster.benchmarking.certainty import Matches as AnyMatches
from da_faster.benchmarking.scores import evaluate
from da_faster.errors import UserError

SIZE = 100
CLASSES = 'A', 'B'


def Matches(*files):
    return AnyMatches(*files, CLASSES)


def write(path, images: list[list], found: list[list]) -> tuple[str, str]:
    """Writes COCO files; images have boxes (class, x), (class, x, score)."""
    boxes = [
        dict(
            id=n + 1,
            image_id=image,
            category_id=label,
            bbox=[x, 0, 10, 10],
            area=100,
            iscrowd=0,
        )
        for n, (image, label, x) in enumerate(
            (i, *box) for i, boxes in enumerate(images) for box in boxes
        )
    ]
    truth = dict(
        images=[
            dict(id=i, file_name=f'{i}.png', width=SIZE, height=SIZE)
            for i in range(len(images))
        ],
        categories=[dict(id=1, name='A'), dict(id=2, name='B')],
        annotations=boxes,
    )
    detections = [
        dict(image_id=i, category_id=label, bbox=[x, 0, 10, 10], score=score)
        for i, items in enumerate(found)
        for label, x, score in items
    ]
    path.mkdir()
    (path / 'truth.json').write_text(json.dumps(truth))
    (path / 'found.json').write_text(json.dumps(detections))
    return str(path / 'truth.json'), str(path / 'found.json')


@pytest.fixture
def scene():
    """Twelve images with some right and some wrong detections."""
    rng = np.random.default_rng(0)
    images, found = [], []
    for _ in range(12):
        places = rng.permutation(8)[: rng.integers(1, 5)] * 12
        boxes = [(int(rng.integers(1, 3)), int(x)) for x in places]
        images.append(boxes)
        found.append(
            [
                (label, x + int(rng.choice([0, 0, 6])), float(rng.random()))
                for label, x in boxes
            ]
            + [(1, 90, float(rng.random()))]
        )
    return images, found


def test_every_image_once_is_what_coco_says(scene, tmp_path):
    files = write(tmp_path / 'once', *scene)
    expected = evaluate(*files, CLASSES)['AP50']
    assert 20 < expected < 80
    assert Matches(*files).ap50(np.ones(12, int)) == pytest.approx(expected)


def test_images_drawn_twice_or_never_are_what_coco_says(scene, tmp_path):
    counts = np.array([2, 0, 1, 3, 0, 0, 1, 1, 2, 0, 1, 1])
    repeated = [
        [item for item, n in zip(part, counts) for _ in range(n)]
        for part in scene
    ]
    expected = evaluate(*write(tmp_path / 'copies', *repeated), CLASSES)[
        'AP50'
    ]
    matches = Matches(*write(tmp_path / 'once', *scene))
    assert matches.ap50(counts) == pytest.approx(expected)


def test_no_detection_scores_zero(scene, tmp_path):
    images, _ = scene
    matches = Matches(*write(tmp_path / 'none', images, [[]] * 12))
    assert matches.ap50(np.ones(12, int)) == 0


def test_gains_by_hand(tmp_path):
    # One box an image. Ours finds all, theirs that of the first image alone.
    # COCO reads 101 recalls: with one of two boxes found, AP = 51 / 101.
    images = [[(1, 0)], [(1, 0)]]
    ours = Matches(*write(tmp_path / 'a', images, [[(1, 0, 0.9)]] * 2))
    theirs = Matches(*write(tmp_path / 'b', images, [[(1, 0, 0.9)], []]))
    found = bootstrap_gains([ours], [theirs], draws=400)
    half = 100 * (1 - 51 / 101)
    assert set(found.round(6)) == {0, round(half, 6), 100}
    # Both draws hit the second image in a quarter of the cases.
    assert np.mean(found == 100) == pytest.approx(0.25, abs=0.07)
    assert bootstrap_gains([ours], [ours], draws=5).tolist() == [0] * 5
    assert set(bootstrap_gains([ours], [theirs], num_images=1, draws=50)) == {
        0,
        100,
    }


def test_classes_that_the_config_lacks_do_not_count(scene, tmp_path):
    files = write(tmp_path / 'once', *scene)
    both = [evaluate(*files, [name])['AP50'] for name in CLASSES]
    assert evaluate(*files, CLASSES)['AP50'] == pytest.approx(np.mean(both))
    found = AnyMatches(*files, ['B']).ap50(np.ones(12, int))
    assert found == pytest.approx(both[1]) and both[0] != both[1]


def test_the_spread_over_seeds_widens_the_interval(tmp_path):
    """One image, so there is no spread over images."""
    images = [[(1, 0)]]
    right = Matches(*write(tmp_path / 'a', images, [[(1, 0, 0.9)]]))
    wrong = Matches(*write(tmp_path / 'b', images, [[]]))
    gain = measure_gain([right, wrong, right], [wrong] * 3)
    # Gains of 100, 0 and 100; Student's t of 2 degrees of freedom is 2.920.
    deviation = np.std([100, 0, 100], ddof=1)
    assert gain.mean == pytest.approx(200 / 3)
    assert gain.half_width == pytest.approx(
        2.92 * deviation / 3**0.5, rel=1e-3
    )
    assert not gain.significant


def test_fewer_images_widen_the_interval(scene, tmp_path):
    images, found = scene
    ours = Matches(*write(tmp_path / 'a', images, found))
    theirs = Matches(
        *write(tmp_path / 'b', images, [items[:1] for items in found])
    )
    few, many = (measure_gain([ours], [theirs], size) for size in (3, 48))
    assert few.mean == many.mean > 0
    # A standard error falls with the root: a fourth of it.
    assert few.half_width / many.half_width == pytest.approx(4, rel=0.35)


@pytest.mark.parametrize(
    'gain, says',
    [
        (Gain(9.0, 2.4, 3.2, 1.0, 3, 30), '+9.0 ± 4.0: better'),
        (Gain(-9.0, 2.4, 3.2, 1.0, 3, 30), '-9.0 ± 4.0: worse'),
        (Gain(3.0, 2.4, 3.2, 1.0, 3, 30), '+3.0 ± 4.0: may be chance'),
        (Gain(9.0, 2.4, 3.2, 1.0, 1, 30), '+9.0 ± 4.0: one seed does not say'),
        (Gain(9.0, 0.0, 0.0, 1.0, 3, 4), 'fewer than 5 images do not say'),
    ],
)
def test_what_a_gain_says(gain, says):
    assert str(gain).endswith(says)


def test_equal_methods_are_rarely_told_apart():
    """Seeds differ by chance: a tenth of the gains is significant."""
    rng = np.random.default_rng(0)

    class Fake:
        num_images = 8

        def __init__(self):
            self.level = rng.normal(50, 3)

        def ap50(self, counts):
            return self.level

    sure = [
        measure_gain([Fake() for _ in range(3)], [Fake() for _ in range(3)])
        for _ in range(200)
    ]
    assert 0.03 < np.mean([gain.significant for gain in sure]) < 0.18


def test_finished_runs_are_read(scene, tmp_path):
    folder = tmp_path / 'out'
    for method in ('source-only', 'style'):
        for seed in (0, 1):
            work_dir = folder / method / f'seed{seed}'
            work_dir.parent.mkdir(parents=True, exist_ok=True)
            truth, found = write(work_dir, *scene)
            Path(found).rename(work_dir / 'detections.bbox.json')
    scores = {'source-only': {'0': 1, '10': 1}, 'style': {'0': 1, '1': 1}}
    (folder / 'scores.json').write_text(
        json.dumps(dict(test=truth, classes=CLASSES, scores=scores))
    )
    runs = adaptation.scored_runs(str(folder), ['source-only', 'style'])
    assert {k: len(v) for k, v in runs.items()} == {
        'source-only': 1,
        'style': 1,
    }
    with pytest.raises(UserError, match='has no da, but source-only, style'):
        adaptation.scored_runs(str(folder), ['da'])
    with pytest.raises(UserError, match='does not exist: run benchmarks/'):
        adaptation.scored_runs(str(tmp_path), ['da'])
    (folder / 'scores.json').write_text('{"scores": {}}')
    with pytest.raises(UserError, match='is not what .* writes'):
        adaptation.scored_runs(str(folder), ['da'])

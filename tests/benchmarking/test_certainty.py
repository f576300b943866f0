"""Differences of AP50 on images drawn anew."""

import json
from pathlib import Path

import numpy as np
import pytest

from da_faster.benchmarking import adaptation
from da_faster.benchmarking.certainty import Matches, gains, needed, verdict
from da_faster.benchmarking.scores import evaluate
from da_faster.errors import UserError

SIZE = 100


def write(path, images: list[list], found: list[list]) -> tuple[str, str]:
    """COCO files: of each image (class, x) of boxes, (class, x, score)."""
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
    """Twelve images; some detections are right and some are not."""
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
    expected = evaluate(*files)['AP50']
    assert 20 < expected < 80
    assert Matches(*files).ap50(np.ones(12, int)) == pytest.approx(expected)


def test_images_drawn_twice_or_never_are_what_coco_says(scene, tmp_path):
    counts = np.array([2, 0, 1, 3, 0, 0, 1, 1, 2, 0, 1, 1])
    repeated = [
        [item for item, n in zip(part, counts) for _ in range(n)]
        for part in scene
    ]
    expected = evaluate(*write(tmp_path / 'copies', *repeated))['AP50']
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
    found = gains([ours], [theirs], draws=400)
    half = 100 * (1 - 51 / 101)
    assert set(found.round(6)) == {0, round(half, 6), 100}
    # Of two images drawn, one is the other half of the time.
    assert np.mean(found == 100) == pytest.approx(0.25, abs=0.07)
    assert gains([ours], [ours], draws=5).tolist() == [0] * 5
    assert set(gains([ours], [theirs], num_images=1, draws=50)) == {0, 100}


def test_seeds_are_drawn_too(tmp_path):
    images = [[(1, 0)]]
    all_found = Matches(*write(tmp_path / 'a', images, [[(1, 0, 0.9)]]))
    none_found = Matches(*write(tmp_path / 'b', images, [[]]))
    found = gains([all_found, none_found], [none_found] * 2, draws=400)
    assert set(found) == {0, 50, 100}


def test_what_a_spread_says():
    assert verdict(np.linspace(-10, 30, 101)) == (
        '+10.0 (-8.0 to +28.0): may be chance'
    )
    assert verdict(np.linspace(10, 30, 101)).endswith(': better')
    assert verdict(np.linspace(-30, -10, 101)).endswith(': worse')


def test_more_images_say_more(scene, tmp_path):
    images, found = scene
    ours = Matches(*write(tmp_path / 'a', images, found))
    theirs = Matches(
        *write(tmp_path / 'b', images, [items[:1] for items in found])
    )
    rows = needed([ours], [theirs], [2, 50])
    assert [row[0] for row in rows] == [2, 50]
    widths = [
        high - low
        for low, high in (map(float, row[1].split(' to ')) for row in rows)
    ]
    assert widths[0] > 2 * widths[1] > 0
    assert float(rows[1][2][:-1]) >= float(rows[0][2][:-1]) > 50


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
        json.dumps(dict(test=truth, scores=scores))
    )
    runs = adaptation.finished(str(folder), ['source-only', 'style'])
    assert {k: len(v) for k, v in runs.items()} == {
        'source-only': 1,
        'style': 1,
    }
    with pytest.raises(UserError, match='has no da, but source-only, style'):
        adaptation.finished(str(folder), ['da'])
    with pytest.raises(UserError, match='does not exist: run benchmarks/'):
        adaptation.finished(str(tmp_path), ['da'])

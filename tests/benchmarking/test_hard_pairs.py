"""Hard pairs out of the small pairs: classes, windows, files, messages."""

import json

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from da_faster.benchmarking import hard_pairs
from da_faster.benchmarking.hard_pairs import Example
from da_faster.data_conversion.coco import CocoSplit
from da_faster.data_conversion.samples import Box
from da_faster.errors import UserError

RED, BLUE, GREY = (0, 0, 220), (220, 0, 0), (120, 120, 120)  # B, G, R


def image_of(colour) -> np.ndarray:
    image = np.full((60, 80, 3), 90, np.uint8)
    image[10:50, 20:60] = colour
    return image


@pytest.mark.parametrize(
    'colour, name', [(RED, 'red'), (BLUE, 'blue'), (GREY, 'other')]
)
def test_the_colour_of_a_box(colour, name):
    box = Box('car', 20, 10, 60, 50)
    assert hard_pairs.colour_of(image_of(colour), box) == name
    # Nine pixels are too few for a colour.
    assert (
        hard_pairs.colour_of(image_of(colour), Box('car', 30, 20, 33, 23))
        == 'other'
    )


def test_vehicles_alone_are_classed_by_colour():
    boxes = [Box('car', 20, 10, 60, 50), Box('person', 0, 0, 9, 9)]
    (found,) = hard_pairs.by_colour([Example('0.png', image_of(RED), boxes)])
    assert found.boxes == [Box('red', 20, 10, 60, 50)]


def test_the_other_camera():
    image = np.full((2, 2, 3), (100, 100, 200), np.uint8)
    (found,) = hard_pairs.other_camera([Example('0.png', image, [])])
    # 255 * (level * gain / 255) ** 1.4; gains 1.2, 1 and 0.8.
    assert found.image[0, 0].tolist() == [89, 69, 133]


def test_windows_cut_boxes():
    box = Box('car', 0, 0, 80, 60)  # the whole image
    seen = list(
        hard_pairs.windows(
            [Example('0.png', image_of(RED), [box])], 70, 50, each=3
        )
    )
    assert [example.name for example in seen] == [
        '0_0.png',
        '1_0.png',
        '2_0.png',
    ]
    for example in seen:
        assert example.image.shape == (50, 70, 3)
        assert example.boxes == [Box('car', 0, 0, 70, 50)]
    # Less than 40 % of it is seen.
    (small,) = hard_pairs.windows(
        [Example('0.png', image_of(RED), [box])], 40, 40
    )
    assert small.boxes == []


def test_boxes_move_with_the_window():
    image = image_of(RED)
    (seen,) = hard_pairs.windows(
        [Example('0.png', image, [Box('car', 20, 10, 60, 50)])], 60, 56
    )
    ((_, x1, y1, x2, y2, *_),) = seen.boxes
    inside = np.zeros(seen.image.shape[:2], bool)
    inside[int(y1) : int(y2), int(x1) : int(x2)] = True
    assert ((seen.image == RED).all(axis=2) == inside).all()


@pytest.fixture
def root(tmp_path):
    """Both small pairs as images of noise, half of them without a bus."""
    rng = np.random.default_rng(0)
    parts = dict(
        city2foggy=dict(
            source_train='source',
            target_train='target',
            target_test='target_test',
            source_test='source_test',
        ),
        blood_smears=dict(
            source_train='source',
            target_train='target/train',
            target_test='target/test',
        ),
    )
    for pair, folders in parts.items():
        labels = (
            hard_pairs.CELLS
            if pair == 'blood_smears'
            else ('car', 'bus', 'truck')
        )
        for split, folder in folders.items():
            coco = CocoSplit(labels)
            (tmp_path / pair / folder).mkdir(parents=True)
            for i in range(4):
                image = rng.integers(0, 255, (192, 384, 3), np.uint8)
                cv2.imwrite(str(tmp_path / pair / folder / f'{i}.png'), image)
                coco.add_image(f'{i}.png', 384, 192)
                for label in labels[: 1 + i % 2]:
                    for x in range(0, 360, 60):
                        coco.add_box(label, x, 60, x + 50, 110)
            coco.save(tmp_path / pair / 'annotations' / f'{split}.json')
    return tmp_path


def test_pairs_train_as_the_template_does(root, monkeypatch):
    monkeypatch.setattr(hard_pairs, 'FEW', 2)
    out = root / 'hard'
    written = hard_pairs.make(root=root, out=out)
    assert len(written) == 4 * 3
    for name in ('colour', 'absent', 'closer', 'reversed'):
        cfg = Config.fromfile(out / name / f'{name}.py')
        assert cfg.train_dataloader.dataset.ann_file == str(
            out / name / 'annotations/source.json'
        )
        for path in (
            cfg.val_evaluator.ann_file,
            cfg.train_dataloader.dataset.ann_file,
        ):
            coco = json.loads(open(path).read())
            assert coco['annotations']
        # No label of a target image for training is there to leak.
        assert sorted(
            p.name for p in (out / name / 'annotations').iterdir()
        ) == ['source.json', 'test.json']
    # Every second image of the city shows a bus.
    assert [
        len(list((out / 'absent' / part).iterdir()))
        for part in ('source', 'target', 'test')
    ] == [4, 2, 2]
    assert len(list((out / 'closer/test').iterdir())) == 16
    with pytest.raises(UserError, match='--force'):
        hard_pairs.make(root=root, out=out)


def test_a_missing_pair_is_one_sentence(tmp_path):
    with pytest.raises(
        UserError,
        match='make .*city2foggy with tools/.*/city2foggy.py first',
    ):
        hard_pairs.make(root=tmp_path, out=tmp_path / 'hard')
    assert not (tmp_path / 'hard').exists()

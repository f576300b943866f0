"""Which images of the two domains meet in an iteration."""

import json

import pytest

from launching import train


def column(lines: list, domain: str) -> list:
    return [i for line in lines for i in line[domain]]


@pytest.mark.parametrize('workers', [0, 1])
def test_sets_of_equal_size_are_drawn_apart(tiny_config, tmp_path, workers):
    lines = train(
        tiny_config,
        tmp_path,
        train_dataloader__num_workers=workers,
        train_cfg__target_dataloader__num_workers=workers,
        train_cfg__max_iters=12,
        train_cfg__val_begin=100,
    )
    source, target = column(lines, 'source'), column(lines, 'target')
    same = sum(map(int.__eq__, source, target))
    assert len(source) == len(target) == 24 and same < 12
    for stream in (source, target):  # each image once an epoch
        for start in (0, 8, 16):
            assert sorted(stream[start : start + 8]) == list(range(8))
        assert stream[:8] != stream[8:16]


def test_sets_and_batches_of_different_size(tiny_data, tiny_config, tmp_path):
    coco = json.loads((tiny_data / 'target.json').read_text())
    coco['images'] = coco['images'][:3]
    (tmp_path / 'three.json').write_text(json.dumps(coco))
    lines = train(
        tiny_config,
        tmp_path,
        train_cfg__target_dataloader__batch_size=1,
        train_cfg__target_dataloader__dataset__ann_file=tmp_path
        / 'three.json',
    )
    assert [(len(line['source']), len(line['target'])) for line in lines] == [
        (2, 1)
    ] * 6
    target = column(lines, 'target')
    assert sorted(target[:3]) == sorted(target[3:]) == [0, 1, 2]
    assert len({line['weights'] for line in lines}) == 6


def test_the_seed_decides(tiny_config, tmp_path):
    first, again, other = [
        train(
            tiny_config,
            tmp_path / name,
            randomness__seed=seed,
            train_cfg__val_begin=100,
        )
        for name, seed in (('a', 3), ('b', 3), ('c', 4))
    ]
    assert first == again
    for domain in ('source', 'target'):
        assert column(first, domain) != column(other, domain)

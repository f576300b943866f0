"""The labels of BDD100K of 2018 and of 2020."""

from pathlib import Path

from converting import boxes, fails, files, load, run


def test_bdd(bdd, capsys):
    run('bdd100k', 'bdd', '--timeofday', 'night')
    train = load('bdd/annotations/train_night.json')
    assert files(train) == ['b1c66a42-6f7d68ca.jpg']
    assert boxes(train, files(train)[0]) == [
        ('car', 1.5, 2.25, 8.25, 18.25),
        ('motorcycle', 3, 3, 6, 6),
    ]
    assert 'train_night: traffic light boxes left out: 1' in (
        capsys.readouterr().out
    )
    val = load('bdd/annotations/val_night.json')
    assert files(val) == ['b1cac6a7-04e33135.jpg', 'b1cd1e94-549d0bfe.jpg']
    assert boxes(val, files(val)[0]) == []
    assert [box[0] for box in boxes(val, files(val)[1])] == [
        'person',
        'motorcycle',
    ]
    run('bdd100k', 'bdd', '--splits', 'train')
    train = load('bdd/annotations/train.json')
    assert files(train) == [
        '0000f77c-6257be58.jpg',
        '0000f77c-62c2a288.jpg',
        'b1c66a42-6f7d68ca.jpg',
    ]
    assert boxes(train, files(train)[0]) == [('bicycle', 3, 3, 37, 6)]
    assert [c['name'] for c in train['categories']] == [
        'person',
        'rider',
        'car',
        'truck',
        'bus',
        'train',
        'motorcycle',
        'bicycle',
    ]


def test_broken_bdd(bdd):
    path = Path('bdd/labels/bdd100k_labels_images_train.json')
    text = path.read_text()
    path.write_text(text[:-50])
    assert f'{path} is not whole json' in fails('bdd100k', 'bdd')
    path.write_text('{"images": []}')
    assert 'is not a list of frames' in fails('bdd100k', 'bdd')
    path.write_text(text.replace('"x1": 1.5', '"x1": "left"'))
    assert 'broken at b1c66a42-6f7d68ca.jpg' in fails('bdd100k', 'bdd')
    path.unlink()
    assert f'{path} is missing' in fails('bdd100k', 'bdd')

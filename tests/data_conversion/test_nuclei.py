"""The nuclei: a miniature in the layout that the converter reads."""

import json

import pytest
from PIL import Image

from da_faster.data_conversion import ConversionError, nuclei

HEADER = 'image,xmin,ymin,xmax,ymax,label\n'


@pytest.fixture
def root(tmp_path):
    """Two source tiles, two of the target's for training, all for testing."""
    tiles = dict(
        fluorescence=['a', 'b'], stained=['c', 'd', *nuclei.TARGET_TEST]
    )
    for domain, stems in tiles.items():
        folder = tmp_path / 'nuclei' / domain
        (folder / 'images').mkdir(parents=True)
        lines = [HEADER]
        for stem in stems:
            name = f'{stem}.png'
            Image.new('RGB', (32, 24)).save(folder / 'images' / name)
            lines.append(f'{name},3,4,10,14,nucleus\n')
        (folder / 'boxes.csv').write_text(''.join(lines[:-1]))
    return tmp_path / 'nuclei'


def test_files_of_both_domains(root, tmp_path, command, capsys):
    out = tmp_path / 'out'
    command('dataset_converters/nuclei.py', root, '--out', out, '--nproc', 1)
    assert 'target_test.json' in capsys.readouterr().out
    names = {}
    for split, folder in (
        ('source_train', 'source'),
        ('target_train', 'target/train'),
        ('target_test', 'target/test'),
    ):
        coco = json.loads((out / 'annotations' / f'{split}.json').read_text())
        names[split] = [image['file_name'] for image in coco['images']]
        there = sorted(path.name for path in (out / folder).iterdir())
        assert names[split] == there
        assert coco['categories'] == [dict(id=1, name='nucleus')]
    assert names['source_train'] == ['a.png', 'b.png']
    assert names['target_train'] == ['c.png', 'd.png']
    assert len(names['target_test']) == 29
    # The last tile of each domain has no line in the table, and no box.
    assert len(coco['annotations']) == 28
    box = coco['annotations'][0]
    assert box['bbox'] == [3, 4, 7, 10] and box['area'] == 70


def test_no_tile_is_on_both_sides():
    assert len(set(nuclei.TARGET_TEST)) == len(nuclei.TARGET_TEST) == 29


@pytest.mark.parametrize(
    'gone, sentence',
    [
        ('stained/boxes.csv', 'boxes.csv is missing: give the folder'),
        (
            f'stained/images/{nuclei.TARGET_TEST[3]}.png',
            'is missing: complete',
        ),
        ('fluorescence/images/a.png', 'a.png is missing: complete'),
    ],
)
def test_an_incomplete_download(root, tmp_path, gone, sentence):
    (root / gone).unlink()
    with pytest.raises(ConversionError, match=sentence):
        nuclei.convert(root, out=tmp_path / 'out', nproc=1)
    assert not (tmp_path / 'out').exists()

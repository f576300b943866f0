"""Target images from folders and from COCO files, without labels."""

import json

import pytest

from da_faster.datasets import TargetDataset


@pytest.fixture
def folder(tmp_path):
    for name in ('b.png', 'a.JPG', 'notes.txt', 'sub/c_beta_0.02.png'):
        path = tmp_path / 'img' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def paths(dataset, root) -> list:
    return [
        dataset.get_data_info(i)['img_path'].removeprefix(f'{root}/img/')
        for i in range(len(dataset))
    ]


def make(root, **kwargs) -> TargetDataset:
    return TargetDataset(
        data_root=str(root), data_prefix=dict(img='img'), **kwargs
    )


def test_a_folder_is_enough(folder):
    dataset = make(folder)
    assert paths(dataset, folder) == ['a.JPG', 'b.png', 'sub/c_beta_0.02.png']
    assert [dataset.get_data_info(i)['img_id'] for i in range(3)] == [0, 1, 2]


def test_a_link_that_leads_back(folder):
    (folder / 'img/again').symlink_to(folder / 'img')
    assert paths(make(folder), folder) == [
        'a.JPG', 'b.png', 'sub/c_beta_0.02.png',
    ]  # fmt: skip


def test_suffix_chooses_one_fog(folder):
    dataset = make(folder, img_suffix='_beta_0.02.png')
    assert paths(dataset, folder) == ['sub/c_beta_0.02.png']


@pytest.mark.parametrize(
    'annotations',
    [
        [],
        [dict(id=1, image_id=7, category_id=1, bbox=[0, 0, 9, 9], area=81)],
        'poison',
    ],
)
def test_json_gives_images_and_never_labels(folder, annotations):
    images = [
        dict(id=7, file_name='b.png', height=4, width=6),
        dict(id=9, file_name='a.JPG', height=5, width=5),
    ]
    (folder / 'target.json').write_text(
        json.dumps(dict(images=images, annotations=annotations))
    )
    dataset = make(
        folder,
        ann_file='target.json',
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
    )
    assert paths(dataset, folder) == ['b.png', 'a.JPG']
    info = dataset.get_data_info(0)
    assert (info['img_id'], info['height'], info['width']) == (7, 4, 6)
    assert info['instances'] == []


def test_no_image_is_one_clear_sentence(folder):
    with pytest.raises(ValueError, match=r'no image found in .*img \(\.gif\)'):
        make(folder, img_suffix='.gif')
    (folder / 'empty.json').write_text('{"images": []}')
    with pytest.raises(ValueError, match='no image found in .*empty.json'):
        make(folder, ann_file='empty.json')


def test_files_that_systems_leave_are_no_images(folder):
    for name in (
        '._b.png',
        '.ipynb_checkpoints/b-checkpoint.png',
        'sub/.cache/b.png',
        '__MACOSX/._b.png',
        '@eaDir/b.png/SYNOPHOTO_THUMB_M.jpg',
    ):
        path = folder / 'img' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    dataset = make(folder)
    assert paths(dataset, folder) == ['a.JPG', 'b.png', 'sub/c_beta_0.02.png']


def test_a_folder_inside_a_hidden_one_is_read(tmp_path):
    path = tmp_path / '.data' / 'img' / 'a.png'
    path.parent.mkdir(parents=True)
    path.touch()
    assert len(make(tmp_path / '.data')) == 1

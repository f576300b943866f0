"""Images, classes, heads, masks and the target of a config."""

import time
from pathlib import Path

import pytest

from checking import (
    CAT,
    DOG,
    by_detector,
    coco,
    find,
    only,
    only_in_source,
    put,
)

FILES = {
    'missing image': (
        coco('source', 4),
        True,
        ('1 of 4 images do not exist: ./source/source3.png; correct',),
    ),
    'missing images': (
        coco('source', 5),
        True,
        ('./source/source3.png; ./source/source4.png; correct',),
    ),
    'wrong folder': (
        coco('other', 3),
        True,
        ('3 of 3 images do not exist: e.g. ./source/other0.png; correct',),
    ),
    "Windows' names": (
        coco(
            'source',
            3,
            images=[
                dict(id=i, file_name=f'x\\{i}.png', width=20, height=10)
                for i in range(3)
            ],
        ),
        True,
        ("these are Windows' names: convert it with tools/dataset_conv",),
    ),
    'order': (
        coco('source', 3, categories=[dict(DOG, id=1), dict(CAT, id=2)]),
        True,
        ('order dog cat', 'config in the order cat dog'),
    ),
    'other name': (
        coco('source', 3, categories=[CAT, dict(DOG, name='Dog')]),
        True,
        ("no category 'dog'", 'the file cat Dog'),
    ),
    'twice': (
        coco('source', 3, categories=[CAT, DOG, dict(CAT, id=3)]),
        True,
        ('category id or name twice',),
    ),
    'image id twice': (
        coco(
            'source',
            3,
            images=coco('source', 3)['images']
            + [dict(id=2, file_name='source0.png', width=20, height=10)],
        ),
        True,
        ('1 image ids twice',),
    ),
    'image twice': (
        coco(
            'source',
            3,
            images=coco('source', 3)['images']
            + [dict(id=9, file_name='source0.png', width=20, height=10)],
        ),
        False,
        ('1 images more than once',),
    ),
}


@pytest.mark.parametrize('case', FILES)
def test_findings_in_the_source(data, case):
    only_in_source(
        data,
        *FILES[case],
        also='more than once' if case == 'image id twice' else None,
    )


def test_nothing_is_found_where_nothing_is_wrong(data):
    assert find(data) == []
    # The labels of the target are ignored, whatever they are.
    put('target', coco('target', 3, annotations=[dict(bbox=None)]))
    data.train_cfg.target_dataloader.dataset.ann_file = 'target.json'
    assert find(data) == []
    data.merge_from_dict(dict(val_dataloader=None, test_dataloader=None))
    data.val_evaluator = data.test_evaluator = None
    assert find(data) == []


def test_config(data):
    data.train_dataloader.dataset.metainfo.classes = 'cat'
    only(data, True, "write classes=('cat', )")
    data.train_dataloader.dataset.metainfo.classes = ('cat',)
    found = find(data)
    assert all(finding.fatal for finding in found)
    texts = ' '.join(finding.text for finding in found)
    assert 'other classes for the source (cat) than for the test' in texts
    assert 'bbox_head.0.num_classes=2 in the model' in texts


def test_sets_of_the_source_with_other_classes(data):
    source = data.train_dataloader.dataset
    other = dict(source, metainfo=dict(classes=('dog', 'cat')))
    data.train_dataloader.dataset = dict(
        type='ConcatDataset', datasets=[source, other]
    )
    first = find(data)[0]
    assert first.fatal
    assert 'has the classes dog cat, and the first set' in first.text


def test_masks_that_the_pipeline_wants(data):
    data.train_dataloader.dataset.pipeline = [
        dict(type='LoadAnnotations', with_bbox=True, with_mask=True)
    ]
    only(data, True, 'source', '3 of 3 boxes have no mask', 'annotation 1')
    content = coco('source', 3)
    for item in content['annotations']:
        item['segmentation'] = [[1, 2, 7, 2]]
    put('source', content)
    only(data, True, 'source', '3 of 3 boxes have no polygon of 3 points')
    for item in content['annotations']:
        item['segmentation'] = [[1, 2, 7, 2, 7, 7]]
    put('source', content)
    assert find(data) == []


def test_heads(data):
    data.model = dict(bbox_head=dict(num_classes=80))
    only(data, True, 'model.bbox_head.num_classes=80', 'set it to 2')


def test_target(data):
    target = data.train_cfg.target_dataloader.dataset
    target.pipeline = [dict(type='LoadAnnotations')]
    only(data, False, 'LoadAnnotations')
    target.pipeline = []
    target.img_suffix = '.jpg'
    only(data, True, 'no image found in ')
    target.data_prefix.img = 'nowhere/'
    only(data, True, 'nowhere/ is not a folder')
    target.update(
        type='CocoDataset',
        ann_file='target.json',
        data_prefix=dict(img='target/'),
    )
    target.pop('img_suffix')
    only(data, True, 'comes with 3 labels', 'must be unlabelled')


def test_a_detector_s_boxes_measure_nothing(data):
    put('test', by_detector(coco('test', 3)))
    only(data, True, 'test.json holds what a detector found', 'AP against')
    data.val_dataloader = dict(data.test_dataloader, batch_size=2)
    assert len(find(data)) == 2  # val and test
    data.val_evaluator = data.test_evaluator = []
    assert find(data) == []


def test_no_second_for_3000_images(data):
    """The sizes of Cityscapes, in its 18 folders."""
    for role, count in (('source', 3000), ('test', 500), ('target', 3000)):
        content = coco(role, count)
        item = content['annotations'][0]
        content['annotations'] = [
            dict(item, id=i + 1, image_id=i % count, category_id=i % 2 + 1)
            for i in range(17 * count)
        ]
        for i, entry in enumerate(content['images']):
            path = Path(role, f'city{i % 18}', f'{i}.png')
            path.parent.mkdir(exist_ok=True)
            path.touch()
            entry['file_name'] = f'city{i % 18}/{i}.png'
        put(role, content)
    for path in Path('target').glob('*.png'):
        path.unlink()
    data.expected_images = 500
    find(data)  # imports
    start = time.process_time()
    assert find(data) == []
    # About 0.4 s; processor time, for machines that do other work too.
    assert time.process_time() - start < 1.5

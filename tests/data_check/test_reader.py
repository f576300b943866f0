"""Files of labels that cannot be read, and datasets in wrappers."""

import json
from pathlib import Path

import pytest

from checking import coco, find, only, only_in_source, put

FILES = {
    'no images': (dict(annotations=[]), True, ('not a COCO file',)),
    'a list': ([], True, ('not a COCO file',)),
}


@pytest.mark.parametrize('case', FILES)
def test_findings_in_the_source(data, case):
    only_in_source(data, *FILES[case])


def test_labels_that_are_no_coco_file(data):
    data.train_dataloader.dataset.ann_file = 'boxes.csv'
    only(data, True, 'boxes.csv is no COCO json file', '/csv_table.py.')
    data.train_dataloader.dataset.type = 'VOCDataset'
    only(data, True, 'boxes.csv does not exist')
    Path('boxes.csv').touch()
    only(data, False, 'only COCO json files are checked')


def test_wrappers(data):
    source = data.train_dataloader.dataset
    data.train_dataloader.dataset = dict(
        type='RepeatDataset',
        times=2,
        dataset=dict(type='ConcatDataset', datasets=[source, source]),
    )
    assert find(data) == []
    put('source', coco('source', 4))
    assert len(find(data)) == 2


def test_files_that_are_not_there_or_cut(data):
    Path('source.json').write_text(json.dumps(coco('source', 3))[:-20])
    only(data, True, 'source.json is not whole json')
    Path('source.json').unlink()
    only(data, True, 'source.json does not exist', 'tools/dataset_converters')


def test_lvis_has_addresses_of_images_and_no_crowds(data):
    for role in ('source', 'test'):
        content = coco(role, 3)
        for image in content['images']:
            name = f'{role}/{image.pop("file_name")}'
            image['coco_url'] = f'http://images.cocodataset.org/{name}'
        for item in content['annotations']:
            del item['iscrowd']
        put(role, content)
    for dataset in (
        data.train_dataloader.dataset,
        data.val_dataloader.dataset,
        data.test_dataloader.dataset,
    ):
        dataset.update(type='LVISV1Dataset', data_prefix=dict(img=''))
    data.test_evaluator[0].type = data.val_evaluator.type = 'LVISMetric'
    assert find(data) == []

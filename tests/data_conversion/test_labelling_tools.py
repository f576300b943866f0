"""Exports of labelling tools, written from their documentation.

Each is an image of 40x30 with a box from (10, 5) to (30, 20), and mostly one
without objects. It is converted with the command that docs/custom_data.md
names, and what comes out passes the check of the data.
"""

from pathlib import Path

import pytest
from mmengine.config import Config

from converting import boxes, load, photo, run, write, xml
from da_faster.data_check import check

BOX = [10, 5, 20, 15]
KITTI_REST = '-1 -1 -1 -1000 -1000 -1000 -10'


def colour(path, number: int):
    """A photo unlike the others, for the check looks for copies."""
    return photo(path, shade=number)


def coco(name='car', file_name='a.jpg', empty='b.jpg', **more) -> dict:
    """COCO json as most tools write it; ``more`` replaces keys."""
    return dict(
        dict(
            info={},
            licenses=[],
            images=[
                dict(id=0, file_name=file_name, width=40, height=30),
                dict(id=1, file_name=empty, width=40, height=30),
            ],
            annotations=[
                dict(
                    id=0, image_id=0, category_id=1, bbox=BOX, area=300,
                    segmentation=[], iscrowd=0,
                )
            ],
            categories=[dict(id=1, name=name, supercategory='')],
        ),
        **more,
    )  # fmt: skip


def roboflow_coco(root):
    """Roboflow, "COCO": the parts in folders, an empty root category."""
    for number, part in enumerate(('train', 'valid')):
        content = coco(
            categories=[
                dict(id=0, name='vehicles', supercategory='none'),
                dict(id=1, name='car', supercategory='vehicles'),
            ],
        )
        write(root / part / '_annotations.coco.json', content)
        colour(root / part / 'a.jpg', 2 * number)
        colour(root / part / 'b.jpg', 2 * number + 1)
    for part in ('train', 'valid'):
        labels = root / part / '_annotations.coco.json'
        run('coco_subset', labels, root / part)
    assert load(root / 'annotations/valid.json')['categories'] == [
        dict(id=1, name='car')
    ]
    return root / 'annotations/train.json', root / 'train', 'a.jpg'


def label_studio_coco(root):
    """Label Studio on Windows, "COCO": result.json and images/."""
    content = coco(
        file_name='images\\1f-a.jpg',
        empty='images\\2f-b.jpg',
        categories=[dict(id=0, name='car')],
    )
    content['annotations'][0].update(category_id=0, ignore=0, area=300)
    write(root / 'result.json', content)
    colour(root / 'images/1f-a.jpg', 0)
    colour(root / 'images/2f-b.jpg', 1)
    run('coco_subset', root / 'result.json', root)
    return Path('annotations/mine.json'), root, 'images/1f-a.jpg'


def cvat_coco(root):
    """CVAT, "COCO 1.0": annotations/instances_default.json, images/default."""
    content = coco(file_name='day 1/a.jpg', empty='day 1/b.jpg')
    content['annotations'][0]['attributes'] = dict(occluded=False)
    write(root / 'annotations/instances_default.json', content)
    colour(root / 'images/default/day 1/a.jpg', 0)
    colour(root / 'images/default/day 1/b.jpg', 1)
    run(
        'coco_subset', root / 'annotations/instances_default.json',
        root / 'images/default',
    )  # fmt: skip
    result = root / 'images/annotations/instances_default.json'
    return result, root / 'images/default', 'day 1/a.jpg'


def cvat_voc(root):
    """CVAT, "PASCAL VOC 1.1": the list is default.txt, corners are floats."""
    text = xml(('car', '10.0', '5.0', '30.0', '20.0', 0))
    write(root / 'Annotations/day 1/a.xml', text)
    write(root / 'Annotations/day 1/b.xml', xml())
    write(root / 'ImageSets/Main/default.txt', '"day 1/a"\n"day 1/b"\n')
    write(root / 'labelmap.txt', '# label:color_rgb:parts:actions\ncar:::\n')
    colour(root / 'JPEGImages/day 1/a.jpg', 0)
    colour(root / 'JPEGImages/day 1/b.jpg', 1)
    run('voc', root, '--classes', 'car', '--first-pixel', 0)
    result = root / 'annotations/default.json'
    return result, root, 'JPEGImages/day 1/a.jpg'


def cvat_darknet(root):
    """CVAT, "YOLO 1.1": obj.data, and a list with a folder "data" before."""
    write(root / 'obj.data', 'classes = 1\ntrain = data/train.txt\n'
          'names = data/obj.names\nbackup = backup/\n')  # fmt: skip
    write(root / 'obj.names', 'car\n')
    names = 'data/obj_train_data/a.jpg\ndata/obj_train_data/b.jpg\n'
    write(root / 'train.txt', names)
    write(root / 'obj_train_data/a.txt', '0 0.500000 0.416667 0.5 0.5\n')
    write(root / 'obj_train_data/b.txt', '')
    colour(root / 'obj_train_data/a.jpg', 0)
    colour(root / 'obj_train_data/b.jpg', 1)
    run('yolo', root)
    return root / 'annotations/train.json', root, 'obj_train_data/a.jpg'


def ultralytics_yolo(root):
    """Ultralytics' own layout, names by number."""
    write(root / 'data.yaml', 'path: ../datasets/mine\ntrain: images/train\n'
          'val: images/val\nnames:\n  0: person\n  1: car\n')  # fmt: skip
    line = '1 0.5 0.416667 0.5 0.5\n'
    for number, split in enumerate(('train', 'val')):
        write(root / f'labels/{split}/a.txt', line)
        colour(root / f'images/{split}/a.jpg', number)
    write(root / 'labels/train.cache', 'x')
    run('yolo', root, '--classes', 'car')
    return root / 'annotations/train.json', root, 'images/train/a.jpg'


def roboflow_yolo(root):
    """Roboflow, "YOLOv8": places with "../" before, outlines among boxes."""
    write(root / 'data.yaml', 'train: ../train/images\nval: ../valid/images\n'
          "nc: 1\nnames: ['car']\nroboflow:\n  license: MIT\n")  # fmt: skip
    outline = '0 0.25 0.5 0.5 0.166667 0.75 0.5 0.5 0.666667\n'
    for number, part in enumerate(('train', 'valid')):
        write(root / part / 'labels/a.txt', outline)
        colour(root / part / 'images/a.jpg', number)
    run('yolo', root / 'data.yaml')
    return root / 'annotations/train.json', root, 'train/images/a.jpg'


def label_studio_yolo(root):
    """Label Studio, "YOLO": classes.txt, no data.yaml."""
    write(root / 'classes.txt', 'car\nperson\n')
    write(root / 'notes.json', {})
    write(root / 'labels/a.txt', '0 0.5 0.4166666666666667 0.5 0.5')
    colour(root / 'images/a.jpg', 0)
    run('yolo', root, '--classes', 'car')
    return root / 'annotations/all.json', root, 'images/a.jpg'


def labelimg_voc(root):
    """LabelImg: an xml file beside each image; corners from 1."""
    write(root / 'a.xml', xml(('car', 11, 6, 30, 20, 0)))
    colour(root / 'a.jpg', 0)
    colour(root / 'unlabelled.jpg', 1)
    run('voc', root, '--classes', 'car')
    return root / 'annotations/all.json', root, 'a.jpg'


def label_studio_voc(root):
    """Label Studio, "Pascal VOC": images/ and Annotations/, corners from 0."""
    write(root / 'Annotations/1f-a.xml', xml(('car', 10, 5, 30, 20, 0)))
    colour(root / 'images/1f-a.jpg', 0)
    run('voc', root, '--classes', 'car', '--first-pixel', 0)
    return root / 'annotations/all.json', root, 'images/1f-a.jpg'


def roboflow_voc(root):
    """Roboflow, "Pascal VOC": xml beside the images, the parts in folders."""
    text = xml(('car', 11, 6, 30, 20, 0)).replace('Left', 'Unspecified')
    for number, part in enumerate(('train', 'valid')):
        write(root / part / 'a_jpg.rf.0f3.xml', text)
        colour(root / part / 'a_jpg.rf.0f3.jpg', number)
    run('voc', root, '--classes', 'car')
    return root / 'annotations/train.json', root, 'train/a_jpg.rf.0f3.jpg'


def labelimg_yolo(root):
    """LabelImg, "YOLO": txt files and classes.txt beside the images."""
    write(root / 'classes.txt', 'car\n')
    write(root / 'a.txt', '0 0.500000 0.416667 0.500000 0.500000\n')
    colour(root / 'a.jpg', 0)
    run('yolo', root)
    return root / 'annotations/all.json', root, 'a.jpg'


def labelme_coco(root):
    """LabelMe through labelme2coco: rectangles as masks, in JPEGImages/."""
    content = coco(
        file_name='JPEGImages/a.jpg',
        empty='JPEGImages/b.jpg',
        categories=[
            dict(id=0, name='_background_', supercategory=None),
            dict(id=1, name='car', supercategory=None),
        ],
    )
    outline = [10, 5, 30, 5, 30, 20, 10, 20]
    content['annotations'][0].update(segmentation=[outline], area=300.0)
    write(root / 'annotations.json', content)
    colour(root / 'JPEGImages/a.jpg', 0)
    colour(root / 'JPEGImages/b.jpg', 1)
    run('coco_subset', root / 'annotations.json', root, '--classes', 'car')
    return Path('annotations/mine.json'), root, 'JPEGImages/a.jpg'


def via_coco(root):
    """VGG Image Annotator, "COCO": ids as text, here and there as floats."""
    content = coco()
    content['annotations'][0].update(image_id='0', category_id=1.0)
    write(root / 'via_project_coco.json', content)
    colour(root / 'img/a.jpg', 0)
    colour(root / 'img/b.jpg', 1)
    run('coco_subset', root / 'via_project_coco.json', root / 'img')
    return root / 'annotations/via_project_coco.json', root / 'img', 'a.jpg'


def kaggle_voc(root):
    """Kaggle: annotations/ and images/, sizes as floats or none at all."""
    text = xml(('car', 11, 6, 30, 20, 0), size=('40.0', '30.0'))
    write(root / 'annotations/a.xml', text)
    write(root / 'annotations/b.xml', '<annotation></annotation>')
    colour(root / 'images/a.png', 0)
    colour(root / 'images/b.png', 1)
    run('voc', root, '--classes', 'car')
    return root / 'annotations/all.json', root, 'images/a.png'


def kaggle_csv(root):
    """Kaggle's wheat: names without suffix, the box in one column."""
    write(root / 'train.csv', 'image_id,width,height,bbox,source\n'
          'a,40,30,"[10.0, 5.0, 20.0, 15.0]",x\n')  # fmt: skip
    colour(root / 'train/a.jpg', 0)
    colour(root / 'train/b.jpg', 1)
    options = '--label', 'car', '--box-format', 'xywh'
    run('csv_table', root / 'train.csv', root / 'train', *options)
    return root / 'annotations/train.json', root / 'train', 'a.jpg'


def tensorflow_csv(root):
    """TensorFlow's table, which Roboflow writes among the images."""
    write(root / 'train/_annotations.csv',
          'filename,width,height,class,xmin,ymin,xmax,ymax\n'
          'a.jpg,40,30,car,10,5,30,20\n')  # fmt: skip
    colour(root / 'train/a.jpg', 0)
    run('csv_table', root / 'train/_annotations.csv', root / 'train')
    return root / 'annotations/train.json', root / 'train', 'a.jpg'


def kitti_of_a_tool(root):
    """The format of KITTI, with one's own classes and jpg images."""
    line = f'car 0.00 0 0.00 10.00 5.00 30.00 20.00 {KITTI_REST}\n'
    write(root / 'labels/a.txt', line)
    write(root / 'labels/b.txt', '')
    colour(root / 'images/a.jpg', 0)
    colour(root / 'images/b.jpg', 1)
    run('kitti', root, '--classes', 'car')
    return root / 'annotations/trainval.json', root / 'images', 'a.jpg'


EXPORTS = (
    roboflow_coco, label_studio_coco, cvat_coco, cvat_voc, cvat_darknet,
    ultralytics_yolo, roboflow_yolo, label_studio_yolo, labelimg_voc,
    label_studio_voc, roboflow_voc, labelimg_yolo,
    labelme_coco, via_coco, kaggle_voc, kaggle_csv, tensorflow_csv,
    kitti_of_a_tool
)  # fmt: skip


@pytest.mark.parametrize('export', EXPORTS, ids=lambda export: export.__name__)
def test_export(export):
    labels, images, name = export(Path('mine'))
    assert boxes(load(labels), name) == [('car', *BOX)]
    target = colour('target/t.jpg', 9).parent
    metainfo = dict(classes=('car',))
    source = dict(
        type='CocoDataset',
        metainfo=metainfo,
        ann_file=str(labels),
        data_prefix=dict(img=str(images)),
        pipeline=[],
    )
    cfg = Config(
        dict(
            default_scope='mmdet',
            model=dict(roi_head=dict(bbox_head=dict(num_classes=1))),
            train_dataloader=dict(dataset=source),
            train_cfg=dict(
                target_dataloader=dict(
                    dataset=dict(
                        type='TargetDataset',
                        data_prefix=dict(img=str(target)),
                        pipeline=[],
                    )
                )
            ),
        )
    )
    assert check(cfg, read_images=True, nproc=1).findings == []

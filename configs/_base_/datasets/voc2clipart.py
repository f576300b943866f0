# PASCAL VOC 2007 + 2012 trainval (16,551 photographs) -> Clipart1k. Many
# papers adapt to and test on all 1,000 drawings; here the publisher's halves
# are kept apart, 500 (without labels) to train and 500 to test.
_base_ = './short_side_600.py'

classes = (
    'aeroplane',
    'bicycle',
    'bird',
    'boat',
    'bottle',
    'bus',
    'car',
    'cat',
    'chair',
    'cow',
    'diningtable',
    'dog',
    'horse',
    'motorbike',
    'person',
    'pottedplant',
    'sheep',
    'sofa',
    'train',
    'tvmonitor',
)
metainfo = dict(classes=classes)
source_root = 'data/VOCdevkit/'
target_root = 'data/clipart/'
expected_images = 500  # to test

train_dataloader = dict(
    dataset=dict(
        metainfo=metainfo,
        data_root=source_root,
        # trainval.json has the images of VOC 2007 and 2012.
        ann_file='annotations/trainval.json',
        data_prefix=dict(img=''),
    )
)
target_dataloader = dict(
    # One folder holds both halves. The json says which images are of this
    # half; its annotations are not read.
    dataset=dict(
        metainfo=metainfo,
        data_root=target_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img=''),
    )
)
val_dataloader = dict(
    dataset=dict(
        metainfo=metainfo,
        data_root=target_root,
        ann_file='annotations/test.json',
        data_prefix=dict(img=''),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=target_root + 'annotations/test.json')
test_evaluator = val_evaluator
# For the oracles, which learn from the target's labels.
oracle = dict(data_root=target_root, ann_file='annotations/train.json')

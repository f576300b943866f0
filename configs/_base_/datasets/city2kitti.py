# Cityscapes (2,975 images) -> KITTI: cars. The paper adapts to and tests on
# the same 7,481 images of KITTI; here the usual halves are kept apart, 3,712
# (without labels) to train and 3,769 to test.
_base_ = './short_side_600.py'

metainfo = dict(classes=('car',), palette=[(0, 0, 142)])
source_root = 'data/cityscapes/'
target_root = 'data/kitti/'
expected_images = 3769  # to test

train_dataloader = dict(
    dataset=dict(
        metainfo=metainfo,
        data_root=source_root,
        ann_file='annotations/instancesonly_filtered_gtFine_train.json',
        data_prefix=dict(img='leftImg8bit/train/'),
    )
)
target_dataloader = dict(
    # One folder holds both halves. The json says which images are of this
    # half; its annotations are not read.
    dataset=dict(
        metainfo=metainfo,
        data_root=target_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img='training/image_2/'),
    )
)
val_dataloader = dict(
    dataset=dict(
        metainfo=metainfo,
        data_root=target_root,
        ann_file='annotations/val.json',
        data_prefix=dict(img='training/image_2/'),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=target_root + 'annotations/val.json')
test_evaluator = val_evaluator
# For the oracles, which learn from the target's labels.
oracle = dict(
    data_root=target_root,
    ann_file='annotations/train.json',
    data_prefix=dict(img='training/image_2/'),
)

# SIM10k (10,000 rendered images) -> Cityscapes (2,975 images; 500 to test):
# cars.
_base_ = './short_side_600.py'

metainfo = dict(classes=('car',), palette=[(0, 0, 142)])
source_root = 'data/sim10k/'
target_root = 'data/cityscapes/'
expected_images = 500  # to test

train_dataloader = dict(
    dataset=dict(
        metainfo=metainfo,
        data_root=source_root,
        ann_file='annotations/all.json',
        data_prefix=dict(img=''),
    )
)
target_dataloader = dict(
    dataset=dict(
        metainfo=metainfo,
        data_root=target_root,
        data_prefix=dict(img='leftImg8bit/train/'),
    )
)
val_dataloader = dict(
    dataset=dict(
        metainfo=metainfo,
        data_root=target_root,
        ann_file='annotations/instancesonly_filtered_gtFine_val.json',
        data_prefix=dict(img='leftImg8bit/val/'),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(
    ann_file=target_root + 'annotations/instancesonly_filtered_gtFine_val.json'
)
test_evaluator = val_evaluator
# For the oracles, which learn from the target's labels.
oracle = dict(
    data_root=target_root,
    ann_file='annotations/instancesonly_filtered_gtFine_train.json',
    data_prefix=dict(img='leftImg8bit/train/'),
)

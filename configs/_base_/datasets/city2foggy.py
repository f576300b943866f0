# Cityscapes -> Foggy Cityscapes, beta 0.02 (2,975 images each; 500 to test).
_base_ = './short_side_600.py'

classes = (
    'person',
    'rider',
    'car',
    'truck',
    'bus',
    'train',
    'motorcycle',
    'bicycle',
)
metainfo = dict(
    classes=classes,
    palette=[
        (220, 20, 60),
        (255, 0, 0),
        (0, 0, 142),
        (0, 0, 70),
        (0, 60, 100),
        (0, 80, 100),
        (0, 0, 230),
        (119, 11, 32),
    ],
)
source_root = 'data/cityscapes/'
target_root = 'data/foggy_cityscapes/'
fog = 'foggy_beta_0.02'
expected_images = 500  # to test

train_dataloader = dict(
    dataset=dict(
        metainfo=metainfo,
        data_root=source_root,
        ann_file='annotations/instancesonly_filtered_gtFine_train.json',
        data_prefix=dict(img='leftImg8bit/train/'),
    )
)
target_dataloader = dict(
    # A folder is enough.
    dataset=dict(
        metainfo=metainfo,
        data_root=target_root,
        data_prefix=dict(img='leftImg8bit_foggy/train/'),
        img_suffix=fog + '.png',
    )
)
val_dataloader = dict(
    dataset=dict(
        metainfo=metainfo,
        data_root=target_root,
        ann_file=f'annotations/instancesonly_filtered_gtFine_val_{fog}.json',
        data_prefix=dict(img='leftImg8bit_foggy/val/'),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(
    ann_file=target_root
    + f'annotations/instancesonly_filtered_gtFine_val_{fog}.json'
)
test_evaluator = val_evaluator
# For the oracles, which learn from the target's labels.
oracle = dict(
    data_root=target_root,
    ann_file=f'annotations/instancesonly_filtered_gtFine_train_{fog}.json',
    data_prefix=dict(img='leftImg8bit_foggy/train/'),
)

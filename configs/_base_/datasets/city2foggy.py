# Cityscapes -> Foggy Cityscapes, beta 0.02 (2,975 images each; 500 to test).
# Short side 600, long side at most 1200, flips only.
classes = ('person', 'rider', 'car', 'truck', 'bus', 'train', 'motorcycle',
           'bicycle')
metainfo = dict(
    classes=classes,
    palette=[(220, 20, 60), (255, 0, 0), (0, 0, 142), (0, 0, 70),
             (0, 60, 100), (0, 80, 100), (0, 0, 230), (119, 11, 32)])
source_root = 'data/cityscapes/'
target_root = 'data/foggy_cityscapes/'
fog = 'foggy_beta_0.02'
backend_args = None

train_pipeline = [
    dict(type='LoadImageFromFile', backend_args=backend_args),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=(1200, 600), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
target_pipeline = [
    dict(type='LoadImageFromFile', backend_args=backend_args),
    dict(type='Resize', scale=(1200, 600), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile', backend_args=backend_args),
    dict(type='Resize', scale=(1200, 600), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape',
                   'scale_factor')),
]

train_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type='CocoDataset',
        metainfo=metainfo,
        data_root=source_root,
        ann_file='annotations/instancesonly_filtered_gtFine_train.json',
        data_prefix=dict(img='leftImg8bit/train/'),
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=train_pipeline,
        backend_args=backend_args))
train_cfg = dict(
    type='DALoop',
    target_dataloader=dict(
        batch_size=1,
        num_workers=2,
        persistent_workers=True,
        sampler=dict(type='InfiniteSampler'),
        # A folder is enough: no annotations, images without objects kept.
        dataset=dict(
            type='TargetDataset',
            metainfo=metainfo,
            data_root=target_root,
            data_prefix=dict(img='leftImg8bit_foggy/train/'),
            img_suffix=fog + '.png',
            pipeline=target_pipeline)))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset',
        metainfo=metainfo,
        data_root=target_root,
        ann_file=f'annotations/instancesonly_filtered_gtFine_val_{fog}.json',
        data_prefix=dict(img='leftImg8bit_foggy/val/'),
        test_mode=True,
        pipeline=test_pipeline,
        backend_args=backend_args))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='CocoMetric',
    ann_file=target_root +
    f'annotations/instancesonly_filtered_gtFine_val_{fog}.json',
    metric='bbox',
    classwise=True,
    backend_args=backend_args)
test_evaluator = val_evaluator

# Photographs of blood smears of two laboratories. Every image is brought to
# height 256: cells get one scale. Then it is cropped to 224x224: both domains
# have one shape and no padding, which would tell the domains apart. The crop
# also cuts cells that have a box. Of those that the photograph cuts, the
# source's labels leave out many, the target's few.
data_root = 'data/blood_smears/'
expected_images = 30  # to test
metainfo = dict(classes=('RBC', 'WBC'), palette=[(220, 20, 60), (0, 90, 220)])
backend_args = None

geometric = [
    dict(type='Resize', scale=(10000, 256), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(224, 224), allow_negative_crop=True),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandomFlip', prob=0.5, direction='vertical'),
]
train_pipeline = [
    dict(type='LoadImageFromFile', backend_args=backend_args),
    dict(type='LoadAnnotations', with_bbox=True),
    *geometric,
    # Slivers that the crop leaves of boxes teach nothing.
    dict(type='FilterAnnotations', min_gt_bbox_wh=(4, 4), keep_empty=False),
    dict(type='PackDetInputs'),
]
target_pipeline = [
    dict(type='LoadImageFromFile', backend_args=backend_args),
    *geometric,
    dict(type='PackDetInputs'),
]
target_dataset = dict(
    type='TargetDataset',
    metainfo=metainfo,
    data_root=data_root,
    data_prefix=dict(img='target/train/'),
)
# For a leaf to choose: train_dataloader.dataset.pipeline=_base_.NAME.
strong = dict(type='StrongAugmentation')
style = dict(type='TargetStyle', dataset=target_dataset)
strong_pipeline = [*train_pipeline[:-1], strong, train_pipeline[-1]]
strong_target_pipeline = [*target_pipeline[:-1], strong, target_pipeline[-1]]
style_pipeline = [*train_pipeline[:-1], style, strong, train_pipeline[-1]]

test_pipeline = [
    dict(type='LoadImageFromFile', backend_args=backend_args),
    dict(type='Resize', scale=(10000, 256), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=(
            'img_id',
            'img_path',
            'ori_shape',
            'img_shape',
            'scale_factor',
        ),
    ),
]

train_dataloader = dict(
    batch_size=2,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type='CocoDataset',
        metainfo=metainfo,
        data_root=data_root,
        ann_file='annotations/source_train.json',
        data_prefix=dict(img='source/'),
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=train_pipeline,
        backend_args=backend_args,
    ),
)
train_cfg = dict(
    type='DALoop',
    target_dataloader=dict(
        batch_size=2,
        num_workers=1,
        persistent_workers=True,
        sampler=dict(type='InfiniteSampler'),
        dataset=dict(target_dataset, pipeline=target_pipeline),
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset',
        metainfo=metainfo,
        data_root=data_root,
        ann_file='annotations/target_test.json',
        data_prefix=dict(img='target/test/'),
        test_mode=True,
        pipeline=test_pipeline,
        backend_args=backend_args,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='CocoMetric',
    ann_file=data_root + 'annotations/target_test.json',
    metric='bbox',
    backend_args=backend_args,
)
test_evaluator = val_evaluator

# Cell nuclei: fluorescence, bright on black -> stained tissue, dark on light.
# Each domain is enlarged until its nuclei are about 30 pixels wide, then
# cropped to 256x256: nuclei get one scale, both domains one shape and no
# padding.
data_root = 'data/nuclei/'
expected_images = 29  # to test
metainfo = dict(classes=('nucleus',), palette=[(220, 20, 60)])
backend_args = None

load = [
    dict(type='LoadImageFromFile', backend_args=backend_args),
    dict(type='LoadAnnotations', with_bbox=True),
]
target_resize = dict(type='Resize', scale=(10000, 384), keep_ratio=True)
crop_and_flip = [
    dict(type='RandomCrop', crop_size=(256, 256), allow_negative_crop=True),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandomFlip', prob=0.5, direction='vertical'),
]
finish = [
    # Slivers that the crop leaves of boxes teach nothing.
    dict(type='FilterAnnotations', min_gt_bbox_wh=(4, 4), keep_empty=False),
    dict(type='PackDetInputs'),
]
train_pipeline = [
    *load,
    dict(type='Resize', scale=(10000, 600), keep_ratio=True),
    *crop_and_flip,
    *finish,
]
target_pipeline = [
    load[0],
    target_resize,
    *crop_and_flip,
    dict(type='PackDetInputs'),
]
# For the oracles, which learn from the target's labels.
oracle_pipeline = [*load, target_resize, *crop_and_flip, *finish]
target_dataset = dict(
    type='TargetDataset',
    metainfo=metainfo,
    data_root=data_root,
    data_prefix=dict(img='target/train/'),
)
# No change of colours that keeps their order turns bright nuclei dark.
invert = dict(type='Invert', prob=0.5)
# For a leaf to choose: train_dataloader.dataset.pipeline=_base_.NAME.
strong = dict(type='StrongAugmentation')
style = dict(type='TargetStyle', dataset=target_dataset)
strong_pipeline = [*train_pipeline[:-1], invert, strong, train_pipeline[-1]]
strong_target_pipeline = [*target_pipeline[:-1], strong, target_pipeline[-1]]
style_pipeline = [
    *train_pipeline[:-1],
    invert,
    style,
    strong,
    train_pipeline[-1],
]

test_pipeline = [
    dict(type='LoadImageFromFile', backend_args=backend_args),
    target_resize,
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

# What the pairs of the reference share: short side 600, long side at most
# 1200, flips only, one image of each domain an iteration. A pair adds classes,
# images and annotations.
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
# A config that inherits these pipelines takes one of them as
# train_dataloader.dataset.pipeline=_base_.NAME.
strong = dict(type='StrongAugmentation')
pack = train_pipeline[-1]
strong_pipeline = [*train_pipeline[:-1], strong, pack]
teacher_target_pipeline = [
    *target_pipeline[:-1],
    dict(
        type='MultiBranch',
        branch_field=['target', 'target_weak'],
        target=[strong, pack],
        target_weak=[pack],
    ),
]
test_pipeline = [
    dict(type='LoadImageFromFile', backend_args=backend_args),
    dict(type='Resize', scale=(1200, 600), keep_ratio=True),
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
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type='CocoDataset',
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=train_pipeline,
        backend_args=backend_args,
    ),
)
# For a config with a target: train_cfg.target_dataloader.
target_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    # No annotations, and images without objects kept.
    dataset=dict(type='TargetDataset', pipeline=target_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset',
        test_mode=True,
        pipeline=test_pipeline,
        backend_args=backend_args,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='CocoMetric', metric='bbox', classwise=True, backend_args=backend_args
)
test_evaluator = val_evaluator

# What the small pairs share: two images of each domain an iteration. A pair
# adds classes, images, annotations and pipelines.
load = dict(type='LoadImageFromFile', backend_args=None)
boxes = dict(type='LoadAnnotations', with_bbox=True)
pack = dict(type='PackDetInputs')
pack_test = dict(
    type='PackDetInputs',
    meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
)
strong = dict(type='StrongAugmentation')
# The last step of a teacher's target images: the student's view and its own.
views = dict(
    type='MultiBranch',
    branch_field=['target', 'target_weak'],
    target=[strong, pack],
    target_weak=[pack],
)

train_dataloader = dict(
    batch_size=2,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type='CocoDataset',
        ann_file='annotations/source_train.json',
        data_prefix=dict(img='source/'),
        filter_cfg=dict(filter_empty_gt=True),
        backend_args=None,
    ),
)
# For a config with a target: train_cfg.target_dataloader.
target_dataloader = dict(
    batch_size=2,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(type='TargetDataset'),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset',
        ann_file='annotations/target_test.json',
        test_mode=True,
        backend_args=None,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', metric='bbox', backend_args=None)
test_evaluator = val_evaluator

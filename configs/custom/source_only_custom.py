# Your own two domains: docs/custom_data.md. Edit the lines up to the rule.
# The configs beside this one, a method each, add to it, and docs/methods.md
# says which to train. This one is an ordinary detector.
_base_ = [
    # From scratch on a CPU. With a GPU, in place of these three lines:
    # '../_base_/models/faster_rcnn_r50_caffe_c4.py', which downloads ImageNet
    # weights, '../_base_/methods/domain_classifiers_r50_c4.py' and
    # '../_base_/schedules/reference_70k.py'.
    '../_base_/models/faster_rcnn_r18_small.py',
    '../_base_/methods/domain_classifiers_r18_small.py',
    '../_base_/schedules/small_1800.py',
    '../_base_/default_runtime.py',
]
# In the order of the annotation files; the comma after a single one counts.
classes = ('car',)
source_images = 'data/my_source/images/'
source_labels = 'data/my_source/annotations/train.json'
target_images = 'data/my_target/images/'
# Labelled target images, to measure on; None where there are none.
test_labels = None
test_images = 'data/my_target/test_images/'
# Long and short side in pixels, kept in ratio. Choose them so that objects
# have about one size in both domains.
scale = (512, 256)
target_scale = (512, 256)
batch_size = 2  # images of each domain an iteration
# -----------------------------------------------------------------------------
metainfo = dict(classes=classes)
model = dict(roi_head=dict(bbox_head=dict(num_classes=len(classes))))
# For the configs that add them. Images have many shapes: padding must not tell
# the domains apart.
domain_classifiers = dict(
    domain_neck=dict(ignore_padding=True),
    instance_domain_head=dict(shared_dropout=True),
)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=scale, keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
target_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=target_scale, keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
target_dataset = dict(
    type='TargetDataset',
    metainfo=metainfo,
    data_prefix=dict(img=target_images),
)
# The configs beside this one choose among the pipelines.
strong = dict(type='StrongAugmentation')
style = dict(type='TargetStyle', dataset=target_dataset)
# Objects may have another size in the target. Of five source images two are a
# part, enlarged, and one is made smaller. What a cut leaves of an object may
# be too little to learn from.
load, boxes, resize, flip, pack = train_pipeline
part = dict(
    type='RandomCrop',
    crop_type='relative_range',
    crop_size=(0.4, 0.4),
    allow_negative_crop=False,
)
no_slivers = dict(
    type='FilterAnnotations', min_gt_bbox_wh=(4, 4), keep_empty=False
)
smaller = dict(
    type='RandomResize', scale=scale, ratio_range=(0.5, 1.0), keep_ratio=True
)
jitter = dict(
    type='RandomChoice',
    prob=[0.4, 0.4, 0.2],  # floats; [1.0, 0.0, 0.0] leaves sizes alone
    transforms=[[resize], [part, resize, no_slivers], [smaller]],
)
jittered = [load, boxes, jitter, flip]
strong_pipeline = [*jittered, strong, pack]
strong_target_pipeline = [*target_pipeline[:-1], strong, pack]
style_pipeline = [*jittered, style, strong, pack]
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
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=target_scale, keep_ratio=True),
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
    batch_size=batch_size,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type='CocoDataset',
        metainfo=metainfo,
        ann_file=source_labels,
        data_prefix=dict(img=source_images),
        filter_cfg=dict(filter_empty_gt=True),
        pipeline=train_pipeline,
    ),
)
train_cfg = dict(val_interval=_base_.max_iters)
# For the configs with a target: train_cfg.target_dataloader.
target_dataloader = dict(
    batch_size=batch_size,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(target_dataset, pipeline=target_pipeline),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset',
        metainfo=metainfo,
        ann_file=test_labels,
        data_prefix=dict(img=test_images),
        test_mode=True,
        pipeline=test_pipeline,
    )
    if test_labels
    else dict(target_dataset, test_mode=True, pipeline=test_pipeline),
)
test_evaluator = (
    dict(
        type='CocoMetric', ann_file=test_labels, metric='bbox', classwise=True
    )
    if test_labels
    else []
)
test_cfg = dict(type='TestLoop')
# A training without test_labels does not validate.
val_dataloader = test_dataloader if test_labels else None
val_evaluator = test_evaluator if test_labels else None
val_cfg = dict(type='ValLoop') if test_labels else None
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=2))
randomness = dict(seed=0)

# Cell nuclei: fluorescence, bright on black -> stained tissue, dark on light.
# Each domain is enlarged until its nuclei are about 30 pixels wide, then
# cropped to 256x256: nuclei get one scale, both domains one shape and no
# padding.
_base_ = './small.py'

data_root = 'data/nuclei/'
expected_images = 29  # to test
metainfo = dict(classes=('nucleus',), palette=[(220, 20, 60)])

load, boxes, pack = _base_.load, _base_.boxes, _base_.pack
source_resize = dict(type='Resize', scale=(10000, 600), keep_ratio=True)
target_resize = dict(type='Resize', scale=(10000, 384), keep_ratio=True)
crop_and_flip = [
    dict(type='RandomCrop', crop_size=(256, 256), allow_negative_crop=True),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandomFlip', prob=0.5, direction='vertical'),
]
# Slivers that the crop leaves of boxes teach nothing.
no_slivers = dict(
    type='FilterAnnotations', min_gt_bbox_wh=(4, 4), keep_empty=False
)
target_dataset = dict(
    type='TargetDataset',
    metainfo=metainfo,
    data_root=data_root,
    data_prefix=dict(img='target/train/'),
)
style = dict(type='TargetStyle', dataset=target_dataset)
# No change of colours that keeps their order turns bright nuclei dark.
invert = dict(type='Invert', prob=0.5)

# A config that inherits these pipelines takes one of them as
# train_dataloader.dataset.pipeline=_base_.NAME.
source_steps = [load, boxes, source_resize, *crop_and_flip, no_slivers]
train_pipeline = [*source_steps, pack]
strong_pipeline = [*source_steps, invert, _base_.strong, pack]
style_pipeline = [*source_steps, invert, style, _base_.strong, pack]
target_steps = [load, target_resize, *crop_and_flip]
target_pipeline = [*target_steps, pack]
strong_target_pipeline = [*target_steps, _base_.strong, pack]
teacher_target_pipeline = [*target_steps, _base_.views]
test_pipeline = [load, target_resize, boxes, _base_.pack_test]
# For the oracles, which learn from the target's labels.
oracle_steps = [load, boxes, target_resize, *crop_and_flip, no_slivers]
oracle_pipeline = [*oracle_steps, pack]
strong_oracle_pipeline = [*oracle_steps, _base_.strong, pack]
oracle = dict(
    ann_file='annotations/target_train.json',
    data_prefix=dict(img='target/train/'),
    pipeline=oracle_pipeline,
)

train_dataloader = dict(
    dataset=dict(
        metainfo=metainfo, data_root=data_root, pipeline=train_pipeline
    )
)
target_dataloader = dict(
    dataset=dict(target_dataset, pipeline=target_pipeline)
)
val_dataloader = dict(
    dataset=dict(
        metainfo=metainfo,
        data_root=data_root,
        data_prefix=dict(img='target/test/'),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/target_test.json')
test_evaluator = val_evaluator

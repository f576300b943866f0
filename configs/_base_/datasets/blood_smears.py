# Photographs of blood smears of two laboratories. Every image is brought to
# height 256: cells get one scale. Then it is cropped to 224x224: both domains
# have one shape and no padding, which would tell the domains apart. The crop
# also cuts cells that have a box. Of those that the photograph cuts, the
# source's labels leave out many, the target's few.
_base_ = './small.py'

data_root = 'data/blood_smears/'
expected_images = 30  # to test
metainfo = dict(classes=('RBC', 'WBC'), palette=[(220, 20, 60), (0, 90, 220)])

load, boxes, pack = _base_.load, _base_.boxes, _base_.pack
resize = dict(type='Resize', scale=(10000, 256), keep_ratio=True)
geometric = [
    resize,
    dict(type='RandomCrop', crop_size=(224, 224), allow_negative_crop=True),
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

# A config that inherits these pipelines takes one of them as
# train_dataloader.dataset.pipeline=_base_.NAME.
source_steps = [load, boxes, *geometric, no_slivers]
train_pipeline = [*source_steps, pack]
strong_pipeline = [*source_steps, _base_.strong, pack]
style_pipeline = [*source_steps, style, _base_.strong, pack]
target_pipeline = [load, *geometric, pack]
strong_target_pipeline = [load, *geometric, _base_.strong, pack]
teacher_target_pipeline = [load, *geometric, _base_.views]
test_pipeline = [load, resize, boxes, _base_.pack_test]
# For the oracles, which learn from the target's labels.
oracle = dict(
    ann_file='annotations/target_train.json',
    data_prefix=dict(img='target/train/'),
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

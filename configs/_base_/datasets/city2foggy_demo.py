# The generated pair: tools/dataset_converters/city2foggy.py. All images are
# 384x192, so both domains have one shape and no padding.
_base_ = './small.py'

data_root = 'data/city2foggy/'
metainfo = dict(
    classes=('person', 'car', 'truck', 'bus', 'bicycle'),
    palette=[
        (220, 20, 60),
        (0, 0, 142),
        (0, 0, 70),
        (0, 60, 100),
        (119, 11, 32),
    ],
)

load, boxes, pack = _base_.load, _base_.boxes, _base_.pack
flip = dict(type='RandomFlip', prob=0.5)
resize = dict(type='Resize', scale=(384, 192), keep_ratio=True)
target_dataset = dict(
    type='TargetDataset',
    metainfo=metainfo,
    data_root=data_root,
    data_prefix=dict(img='target/'),
)
style = dict(type='TargetStyle', dataset=target_dataset, region=0.15)

# A config that inherits these pipelines takes one of them as
# train_dataloader.dataset.pipeline=_base_.NAME.
train_pipeline = [load, boxes, flip, pack]
strong_pipeline = [load, boxes, flip, _base_.strong, pack]
style_pipeline = [load, boxes, flip, style, _base_.strong, pack]
target_pipeline = [load, flip, pack]
strong_target_pipeline = [load, flip, _base_.strong, pack]
teacher_target_pipeline = [load, flip, _base_.views]
test_pipeline = [load, resize, boxes, _base_.pack_test]
# For the oracles, which learn from the target's labels.
oracle = dict(
    ann_file='annotations/target_train.json', data_prefix=dict(img='target/')
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
        data_prefix=dict(img='target_test/'),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/target_test.json')
test_evaluator = val_evaluator

# Thermal images of a drone, day -> night. By day cars are often brighter than
# the ground, at night many are darker.
_base_ = './small.py'

data_root = 'data/thermal_drone/'
expected_images = None  # the publisher's set and a part of it have one layout
metainfo = dict(
    classes=('Person', 'Car', 'Bicycle'),
    palette=[(220, 20, 60), (0, 90, 220), (0, 160, 80)],
)
batch_size = 4  # images of each domain an iteration

load, boxes, pack = _base_.load, _base_.boxes, _base_.pack
strong = _base_.strong
resize = dict(type='Resize', scale=(320, 320), keep_ratio=True)
flip = dict(type='RandomFlip', prob=0.5)
# The grey of YOLOX. It comes after all that changes colours.
pad = dict(
    type='Pad', pad_to_square=True, pad_val=dict(img=(114.0, 114.0, 114.0))
)
target_dataset = dict(
    type='TargetDataset',
    metainfo=metainfo,
    data_root=data_root,
    data_prefix=dict(img='night/'),
)
style = dict(type='TargetStyle', dataset=target_dataset)

# For a leaf to choose: train_dataloader.dataset.pipeline=_base_.NAME.
source_steps = [load, boxes, resize, flip]
train_pipeline = [*source_steps, pad, pack]
strong_pipeline = [*source_steps, strong, pad, pack]
style_pipeline = [*source_steps, style, strong, pad, pack]
target_steps = [load, resize, flip]
target_pipeline = [*target_steps, pad, pack]
views = dict(_base_.views, target=[strong, pad, pack], target_weak=[pad, pack])
teacher_target_pipeline = [*target_steps, views]
test_pipeline = [load, resize, pad, boxes, _base_.pack_test]
# For the oracle, which learns from the target's labels.
oracle = dict(ann_file='night.json', data_prefix=dict(img='night/'))

train_dataloader = dict(
    batch_size=batch_size,
    dataset=dict(
        metainfo=metainfo,
        data_root=data_root,
        ann_file='day.json',
        data_prefix=dict(img='day/'),
        pipeline=train_pipeline,
    ),
)
target_dataloader = dict(
    batch_size=batch_size,
    dataset=dict(target_dataset, pipeline=target_pipeline),
)
val_dataloader = dict(
    dataset=dict(
        metainfo=metainfo,
        data_root=data_root,
        ann_file='night_test.json',
        data_prefix=dict(img='night_test/'),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'night_test.json')
test_evaluator = val_evaluator

# Cityscapes -> Foggy Cityscapes as in ALDI++: short side 800 to 1024, strongly
# augmented, rectangles of the source erased.
_base_ = './city2foggy.py'

sizes = [(2048, short) for short in range(800, 1025, 32)]
load = dict(type='LoadImageFromFile', backend_args=None)
pack = dict(type='PackDetInputs')
geometric = [
    dict(type='RandomChoiceResize', scales=sizes, keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
]
train_pipeline = [
    load,
    dict(type='LoadAnnotations', with_bbox=True),
    *geometric,
    dict(type='StrongAugmentation', erase=True),
    pack,
]
teacher_target_pipeline = [
    load,
    *geometric,
    dict(
        type='MultiBranch',
        branch_field=['target', 'target_weak'],
        target=[dict(type='StrongAugmentation'), pack],
        target_weak=[pack],
    ),
]
test_pipeline = [
    load,
    dict(type='Resize', scale=(2048, 1024), keep_ratio=True),
    *_base_.test_pipeline[2:],
]
train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline))
target_dataloader = dict(
    batch_size=2, dataset=dict(pipeline=teacher_target_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

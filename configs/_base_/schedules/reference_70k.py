# One source and one target image an iteration; the last checkpoint counts.
max_iters = 70000
train_cfg = dict(
    type='SeededTrainLoop', max_iters=max_iters, val_interval=10000
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=0.0005),
    paramwise_cfg=dict(bias_lr_mult=2.0, bias_decay_mult=0.0),
)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=1.0 / 3, by_epoch=False, begin=0, end=500
    ),
    dict(
        type='MultiStepLR',
        by_epoch=False,
        begin=0,
        end=max_iters,
        milestones=[50000],
        gamma=0.1,
    ),
]
# base_batch_size counts source images: GPUs x train_dataloader.batch_size.
auto_scale_lr = dict(enable=False, base_batch_size=1)

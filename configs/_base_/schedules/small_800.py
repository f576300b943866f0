# From scratch on a CPU: AdamW, short warm-up, cosine to 5 %.
max_iters = 800
train_cfg = dict(
    type='SeededTrainLoop', max_iters=max_iters, val_interval=max_iters
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=5e-4, weight_decay=0.02),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.02,
        by_epoch=False,
        begin=0,
        end=50,
    ),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=50,
        end=max_iters,
        T_max=max_iters - 50,
        eta_min_ratio=0.05,
    ),
]
auto_scale_lr = dict(enable=False, base_batch_size=2)

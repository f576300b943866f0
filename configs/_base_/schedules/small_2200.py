# small_800.py for the generated fog: at 1,800 iterations it was learned far
# from its end, and a run of 2,200 takes eight minutes.
_base_ = './small_800.py'
max_iters = 2200
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    _base_.param_scheduler[0],
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=50,
        end=max_iters,
        T_max=max_iters - 50,
        eta_min_ratio=0.05,
    ),
]

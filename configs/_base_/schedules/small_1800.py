# small_800.py for a pair that takes longer to learn.
_base_ = './small_800.py'
max_iters = 1800
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    _base_.param_scheduler[0],
    dict(
        _base_.param_scheduler[1],
        end=max_iters,
        T_max=max_iters - _base_.param_scheduler[1].begin,
    ),
]

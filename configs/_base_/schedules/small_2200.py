# small_1800.py for the generated fog: at 1,800 iterations it was learned far
# from its end, and a run of 2,200 takes eight minutes.
_base_ = './small_1800.py'
max_iters = 2200
param_scheduler = [
    _base_.param_scheduler[0],
    dict(
        _base_.param_scheduler[1],
        end=max_iters,
        T_max=max_iters - _base_.param_scheduler[1].begin,
    ),
]

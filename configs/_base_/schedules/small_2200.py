# small_1800.py for the generated fog: at 1,800 iterations it was learned far
# from its end, and a run of 2,200 takes eight minutes.
_base_ = './small_800.py'
max_iters = 2200
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
warm_up, decay = _base_.param_scheduler
decay.update(end=max_iters, T_max=max_iters - decay.begin)
param_scheduler = [warm_up, decay]

# small_800.py for a pair that takes longer to learn.
_base_ = './small_800.py'
max_iters = 1800
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
warm_up, decay = _base_.param_scheduler
decay.update(end=max_iters, T_max=max_iters - decay.begin)
param_scheduler = [warm_up, decay]

# small_800.py for a detector whose weights are pretrained: a higher rate, and
# no decay of biases and norms.
_base_ = './small_800.py'
max_iters = 500
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(
    optimizer=dict(lr=1e-3),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0),
)
warm_up, decay = _base_.param_scheduler
decay.update(end=max_iters, T_max=max_iters - decay.begin)
param_scheduler = [warm_up, decay]
auto_scale_lr = dict(base_batch_size=4)

# The target's colours without domain classifiers: the one to begin with.
_base_ = './da_faster_custom.py'
model = dict(domain_neck=None, instance_domain_head=None)
train_cfg = dict(
    _delete_=True,
    type='SeededTrainLoop',
    max_iters=_base_.train_cfg.max_iters,
    val_interval=_base_.train_cfg.val_interval,
)

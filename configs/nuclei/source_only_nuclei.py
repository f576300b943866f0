# The same detector without domain adaptation.
_base_ = './da_faster_plain_nuclei.py'
model = dict(domain_neck=None, instance_domain_head=None)
train_cfg = dict(
    _delete_=True,
    type='SeededTrainLoop',
    max_iters=_base_.max_iters,
    val_interval=_base_.max_iters,
)

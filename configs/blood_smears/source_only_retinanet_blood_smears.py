# The same detector without domain adaptation: docs/adapt_results.md starts
# from it.
_base_ = './da_retinanet_blood_smears.py'
model = dict(domain_neck=None)
train_cfg = dict(
    _delete_=True,
    type='SeededTrainLoop',
    max_iters=_base_.max_iters,
    val_interval=_base_.max_iters,
)

# Upper bound: the same detector trained on the target's labels.
_base_ = './source_only_blood_smears.py'
train_dataloader = dict(dataset=_base_.oracle)

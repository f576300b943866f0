# Upper bound: the same detector trained on the target's labels.
_base_ = './source_only_sim10k2city.py'
train_dataloader = dict(dataset=_base_.oracle)

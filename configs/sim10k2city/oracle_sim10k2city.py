# Upper bound: the same detector trained on the target's labels.
_base_ = './source_only_sim10k2city.py'
train_dataloader = dict(
    dataset=dict(
        data_root=_base_.target_root,
        ann_file='annotations/instancesonly_filtered_gtFine_train.json',
        data_prefix=dict(img='leftImg8bit/train/'),
    )
)

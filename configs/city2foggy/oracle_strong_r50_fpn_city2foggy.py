# Upper bound: the target's labels.
_base_ = './source_only_strong_r50_fpn_city2foggy.py'
train_dataloader = dict(
    dataset=dict(
        data_root=_base_.target_root,
        ann_file='annotations/instancesonly_filtered_gtFine_train_'
        f'{_base_.fog}.json',
        data_prefix=dict(img='leftImg8bit_foggy/train/'),
    )
)

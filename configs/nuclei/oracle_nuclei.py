# Upper bound: the same detector trained on the target's labels.
_base_ = './source_only_nuclei.py'
train_dataloader = dict(
    dataset=dict(
        ann_file='annotations/target_train.json',
        data_prefix=dict(img='target/train/'),
        pipeline=_base_.oracle_pipeline,
    )
)

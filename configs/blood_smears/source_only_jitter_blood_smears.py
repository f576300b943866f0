# Without adaptation, with colour jitter: what plain augmentation achieves.
_base_ = './source_only_blood_smears.py'
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_pipeline[:-1],
            dict(type='PhotoMetricDistortion'),
            _base_.train_pipeline[-1],
        ]
    )
)

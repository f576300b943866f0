# Without adaptation, with mild colour jitter (hue 5, saturation and value 30).
_base_ = './source_only_blood_smears.py'
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_pipeline[:2],
            dict(type='YOLOXHSVRandomAug'),
            *_base_.train_pipeline[2:],
        ]
    )
)

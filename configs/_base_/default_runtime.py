default_scope = 'mmdet'
custom_imports = dict(imports=['da_faster'])

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    # Validations, too, stand at their iteration.
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='SafeCheckpointHook',
        by_epoch=False,
        interval=2500,
        max_keep_ckpts=3,
    ),
    fitting=dict(type='FittingCheckpointHook'),
    resumed_schedule=dict(type='ResumedScheduleHook'),
    non_finite=dict(type='NonFiniteHook'),
    # Before the next: signals may come in the validation that it repeats.
    preemption=dict(type='PreemptionHook'),
    missed_validation=dict(type='MissedValidationHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='DetVisualizationHook'),
)
env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
# --cfg-options log_to=TensorboardVisBackend,WandbVisBackend adds others.
vis_backends = [dict(type='LocalVisBackend')]  # writes scalars.json
visualizer = dict(
    type='DetLocalVisualizer', vis_backends=vis_backends, name='visualizer'
)
log_processor = dict(
    type='TrainingLine',
    window_size=50,
    by_epoch=False,
    num_digits=3,
    # Means over the window; all else as in the last iteration.
    mean_pattern=r'.*(loss|time|grad_norm|acc).*',
)
log_level = 'INFO'
load_from = None
resume = False

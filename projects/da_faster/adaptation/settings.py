"""From the config of a detector to that of its adaptation."""

import copy
import os.path as osp

import torch
from mmengine.config import Config

from da_faster.apis.detectors import with_preprocessor
from da_faster.apis.type_names import with_type_names
from da_faster.checkpoint_conversion import to_stock_config
from da_faster.config_files import read_config
from da_faster.config_tree import has_masks, last_name
from da_faster.errors import UserError

from .blending import need_share
from .derived import (
    Derived,
    derive,
    need_box_head,
    need_boxes_to_teach,
    need_stock_parts,
)
from .few_labels import need_true_labels
from .loaders import (
    labelled_loader,
    labelled_pipeline,
    loader,
    measured_pipeline,
    source_dataset,
    views,
)
from .overlap import need_other_images

# Hooks that count epochs, and those in whose place SelfTrainingHook is.
LEFT_OUT = (
    'EMAHook', 'MeanTeacherHook', 'PipelineSwitchHook', 'SelfTrainingHook',
    'SetEpochInfoHook', 'SyncNormHook', 'YOLOXModeSwitchHook',
)  # fmt: skip


def adapt_config(
    cfg: Config,
    target: str,
    load_from: str | None = None,
    source: bool = False,
    iters: int = 600,
    test_labels: str | None = None,
    test_images: str | None = None,
    target_labels: str | None = None,
    share: float | None = None,
    blend: float | None = None,
    name: str = 'the config',
) -> Config:
    """The config of a mean teacher that adapts a detector.

    Without the source, teacher and student see target images alone. With it,
    the student goes on with the config's own training data, half of them in
    the colours of target images, and the teacher's labels weigh a quarter.

    Args:
        cfg (Config): Of MMDetection, to train and test the detector with.
        target (str): A folder of images.
        load_from (str, optional): The detector's checkpoint. It is needed
            where there are no labels at all.
        source (bool): Train on the config's own training data, too.
        iters (int): Iterations.
        test_labels (str, optional): A COCO json of labelled target images, to
            measure on.
        test_images (str, optional): What its file names are relative to.
            Default: ``target``.
        target_labels (str, optional): A COCO json of a few labelled target
            images, to train on; its file names are relative to ``target``.
        share (float, optional): With ``source`` and ``target_labels``: the
            share of the latter in the labelled images of a batch, which has
            as many images as that takes. Default: 0.5.
        blend (float, optional): How far ``adapt`` goes from the weights as
            they came to the teacher's, 0 to 1. The training does not use it.
            Default: 0.25; 0.5 with ``source``, 1 with ``target_labels``.
        name (str): Of the config, for messages.

    Returns:
        Config: For ``tools/train.py``.

    Raises:
        UserError: If something is missing in the config, if it is of code
            that stock MMDetection does not have, or if the target is the
            source.
    """
    # As text, so that the config can be written.
    target, load_from, test_labels, test_images, target_labels = (
        path and str(path)
        for path in (
            target, load_from, test_labels, test_images, target_labels
        )
    )  # fmt: skip
    if iters < 1 or int(iters) != iters:
        raise UserError(f'iters must be a whole number from 1, got {iters}.')
    iters = int(iters)
    if share is not None and not (source and target_labels):
        raise UserError(
            'share is of labelled target images beside the source: give '
            'source and target_labels, too, or leave it out.'
        )
    if test_images and not test_labels:
        raise UserError(
            f'{test_images} is to measure on: give test_labels, too.'
        )
    labels = has_labels(source, target_labels)
    if blend is None:
        # The more there is that says what is right on the target.
        blend = 1.0 if target_labels else 0.5 if source else 0.25
    need_share(blend, name)
    cfg = with_preprocessor(with_type_names(cfg))
    need_box_head(cfg, name)
    need_boxes_to_teach(cfg, name)
    need_stock_parts(cfg, source, name)
    adapted_alone = (cfg.get('train_cfg') or {}).get('type') == 'TargetLoop'
    cfg = to_stock_config(cfg).cfg
    derived = derive(cfg, name, labels)
    if adapted_alone:
        cfg.train_dataloader.dataset = {}  # it has no source
    need_other_images(cfg, target, name)
    new = Config(read_config('da_faster::_base_/default_runtime.py').to_dict())
    metainfo = dict(classes=derived.classes)
    dataset = dict(
        type='TargetDataset',
        metainfo=metainfo,
        data_prefix=dict(img=osp.join(target, '')),
    )
    target_loader = loader(
        derived.batch_size, dict(dataset, pipeline=views(derived))
    )
    labelled = []
    if source:
        labelled.append(source_dataset(cfg, dataset, name))
    if target_labels:
        need_true_labels(target_labels)
        new.target_labels = target_labels  # for the data check
        labelled.append(
            dict(
                type='CocoDataset',
                metainfo=metainfo,
                ann_file=target_labels,
                data_prefix=dict(img=osp.join(target, '')),
                filter_cfg=dict(filter_empty_gt=True),
                pipeline=labelled_pipeline(derived, has_masks(cfg.model)),
            )
        )
    if labelled:
        new.train_dataloader = labelled_loader(
            labelled, derived, 0.5 if share is None else share
        )
        new.train_cfg = dict(type='DALoop', target_dataloader=target_loader)
    else:
        new.train_dataloader = target_loader
        new.train_cfg = dict(type='TargetLoop')
    new.train_cfg.update(max_iters=iters, val_interval=iters)
    new.model = model_of(cfg, derived, name, labels, iters)
    new.update(measuring(derived, test_labels, test_images or target))
    new.update(optimisation(cfg, derived))
    new.custom_hooks = [
        dict(hook)
        for hook in cfg.get('custom_hooks') or []
        if last_name(hook['type']) not in LEFT_OUT
    ] + [
        # As slow as the training is long, so that the teacher follows it.
        dict(
            type='SelfTrainingHook',
            burn_in=0,
            momentum=max(0.0004, min(0.01, 10 / iters)),
            interval=max(1, min(50, iters // 4)),
            restore_rate=0.01,
        )
    ]
    new.default_hooks.checkpoint.update(
        interval=max(1, iters // 5), max_keep_ckpts=1
    )
    new.load_from = load_from
    new.blend = blend  # of the weights that adapt() exports
    new.randomness = dict(seed=0)
    return new


def has_labels(
    source: bool = False, target_labels: str | None = None, **others
) -> bool:
    """Whether settings of ``adapt_config`` bring any labelled image."""
    return source or bool(target_labels)


def model_of(
    cfg: Config, derived: Derived, name: str, labelled: bool, iters: int
) -> dict:
    """The detector as student and teacher."""
    detector = copy.deepcopy(cfg.model)
    if not detector.get('data_preprocessor'):
        detector.data_preprocessor = dict(type='DetDataPreprocessor')
    kind = last_name(detector.data_preprocessor.type)
    if kind != 'DetDataPreprocessor':
        raise UserError(
            f'{name} has the data preprocessor {kind}; adaptation needs '
            'DetDataPreprocessor.'
        )
    without_downloads(detector)
    trained = detector.get('train_cfg') or {}
    if trained.get('initial_epoch'):  # TOOD's: the detector is past it
        trained['initial_epoch'] = 0
    threshold, ignore_above = derived.scores
    return dict(
        type='MeanTeacher',
        detector=detector,
        pseudo_labels=dict(
            threshold=threshold,
            ignore_above=ignore_above,
            max_growth=1.0,  # else labels make more of their kind
            # A short training, too, compares with its first labels.
            statistics_window=max(
                1, min(200, iters * derived.batch_size // 3)
            ),
        ),
        # They hold the student where colours lead away, and repeat what the
        # detector does not see. So beside true labels they weigh little.
        target_weight=0.25 if labelled else 1.0,
        # Nothing else says that there are objects elsewhere.
        empty_images=labelled,
        keep_source_model=True,
    )


def without_downloads(value) -> None:
    """Leaves out pretrained weights, which the checkpoint replaces."""
    if isinstance(value, dict):
        init = value.get('init_cfg')
        if isinstance(init, (list, tuple)):
            value['init_cfg'] = [
                one for one in init if one.get('type') != 'Pretrained'
            ]
        elif isinstance(init, dict) and init.get('type') == 'Pretrained':
            value['init_cfg'] = None
        for inner in value.values():
            without_downloads(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            without_downloads(inner)


def measuring(derived: Derived, labels: str | None, images: str) -> dict:
    """Validation and test on labelled images, or predictions on the target."""
    tested = dict(
        batch_size=1,
        num_workers=2,
        persistent_workers=True,
        drop_last=False,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(
            type='CocoDataset' if labels else 'TargetDataset',
            metainfo=dict(classes=derived.classes),
            data_prefix=dict(img=osp.join(images, '')),
            test_mode=True,
            pipeline=measured_pipeline(derived),
        ),
    )
    test_cfg = dict(type='TestLoop')
    if not labels:
        return dict(
            val_dataloader=None,
            val_evaluator=None,
            val_cfg=None,
            test_dataloader=tested,
            test_evaluator=[],
            test_cfg=test_cfg,
        )
    tested['dataset']['ann_file'] = labels
    evaluator = dict(
        type='CocoMetric', ann_file=labels, metric='bbox', classwise=True
    )
    return dict(
        val_dataloader=tested,
        test_dataloader=tested,
        val_evaluator=evaluator,
        test_evaluator=evaluator,
        val_cfg=dict(type='ValLoop'),
        test_cfg=test_cfg,
    )


def optimisation(cfg: Config, derived: Derived) -> dict:
    """The config's optimizer at the derived rate, constant after a warm-up."""
    wrapper = copy.deepcopy(cfg.optim_wrapper)
    wrapper.optimizer.lr = derived.lr
    if 'LearningRateDecay' in str(wrapper.get('constructor')):
        wrapper.constructor = 'StudentDecayConstructor'
    # A step an iteration: a checkpoint has no gradients of half a step.
    wrapper.pop('accumulative_counts', None)
    if not torch.cuda.is_available():
        wrapper.pop('loss_scale', None)
        wrapper.pop('dtype', None)
        wrapper.type = 'OptimWrapper'
    warm_up = dict(
        type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100
    )
    return dict(optim_wrapper=wrapper, param_scheduler=[warm_up])

"""From the config of a detector to the config of its adaptation."""

import copy

import torch
from mmengine.config import Config

from da_faster.config_files import read_config
from da_faster.config_tree import without_pretrained
from da_faster.detectors import Detector
from da_faster.errors import UserError

from .loaders import batch_size, loaders
from .settings import Settings, checked_blend
from .suitability import check_suitable

# Hooks that count epochs, and hooks whose work SelfTrainingHook does.
LEFT_OUT = (
    'EMAHook', 'MeanTeacherHook', 'PipelineSwitchHook', 'SelfTrainingHook',
    'SetEpochInfoHook', 'SyncNormHook', 'YOLOXModeSwitchHook',
)  # fmt: skip


def adapt_config(
    cfg: Config,
    target: str,
    load_from: str | None = None,
    name: str = 'the config',
    **settings,
) -> Config:
    """Makes the config of a mean teacher that adapts a detector.

    Args:
        cfg (Config): A config of MMDetection, to train and to test the
            detector with.
        target (str): A folder of images.
        load_from (str, optional): The detector's checkpoint. It is needed
            where there are no labels at all.
        name (str): The name of the config, for messages.
        **settings: Any of ``Settings``: ``source``, ``iters``,
            ``test_labels``, ``test_images``, ``target_labels``, ``share``,
            ``blend``.

    Returns:
        Config: A config for ``tools/train.py``.

    Raises:
        UserError: If a setting is out of range, if the config lacks something
            or has code that stock MMDetection does not have, or if the target
            is the source.
    """
    detector = Detector(cfg, name=name)
    new = configure(detector, Settings(target, **settings), load_from)
    checked_blend(new, name)
    return new


def configure(
    detector: Detector, settings: Settings, load_from: str | None
) -> Config:
    """Makes the config of an adaptation; see :func:`adapt_config`."""
    check_suitable(detector, settings)
    adaptation = dict(blend=settings.blend)
    if settings.target_labels:
        adaptation['target_labels'] = settings.target_labels
    iters = settings.iters
    new = Config(read_config('da_faster::_base_/default_runtime.py').to_dict())
    new.update(loaders(detector, settings))
    new.model = mean_teacher(detector, settings)
    new.update(optimization(detector, settings.labelled))
    new.custom_hooks = [
        dict(hook)
        for hook in detector.stock.get('custom_hooks') or []
        if hook['type'] not in LEFT_OUT
    ] + [
        # The longer the training, the slower the teacher may follow.
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
    new.load_from = load_from and str(load_from)
    new.adaptation = adaptation
    new.randomness = dict(seed=0)
    return new


def mean_teacher(detector: Detector, settings: Settings) -> dict:
    """The detector as a student and its teacher."""
    # The checkpoint replaces pretrained weights.
    model = without_pretrained(detector.stock.model)
    if not model.get('data_preprocessor'):
        model.data_preprocessor = dict(type='DetDataPreprocessor')
    preprocessor = model.data_preprocessor.type
    if preprocessor != 'DetDataPreprocessor':
        raise UserError(
            f'{detector.name} has the data preprocessor {preprocessor}; '
            'adaptation needs DetDataPreprocessor.'
        )
    train_cfg = model.get('train_cfg') or {}
    if train_cfg.get('initial_epoch'):
        train_cfg['initial_epoch'] = 0  # a trained TOOD has had its warm-up
    threshold, ignore_above = detector.score_bounds
    # The statistics need a full window before they can compare; a short
    # training fills a third of its length.
    window = settings.iters * batch_size(detector) // 3
    return dict(
        type='MeanTeacher',
        detector=model,
        pseudo_labels=dict(
            threshold=threshold,
            ignore_above=ignore_above,
            max_growth=1.0,  # labels of a class must not breed more of them
            statistics_window=max(1, min(200, window)),
        ),
        # Beside true labels the teacher's labels weigh little: they steady the
        # student, but they repeat what the detector misses.
        target_weight=0.25 if settings.labelled else 1.0,
        # Without true labels, empty images would teach that nothing is there.
        empty_images=settings.labelled,
        keep_source_model=True,
    )


def optimization(detector: Detector, labelled: bool) -> dict:
    """The detector's optimizer, at a constant rate after a warm-up."""
    lr, _ = learning_rate(detector, labelled)
    wrapper = copy.deepcopy(detector.stock.optim_wrapper)
    wrapper.optimizer.lr = lr
    if 'LearningRateDecay' in str(wrapper.get('constructor')):
        wrapper.constructor = 'StudentDecayConstructor'
    # One step an iteration: a checkpoint holds no accumulated gradients.
    wrapper.pop('accumulative_counts', None)
    if not torch.cuda.is_available():
        wrapper.pop('loss_scale', None)
        wrapper.pop('dtype', None)
        wrapper.type = 'OptimWrapper'
    warm_up = dict(
        type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100
    )
    return dict(optim_wrapper=wrapper, param_scheduler=[warm_up])


def learning_rate(detector: Detector, labelled: bool) -> tuple[float, str]:
    """Chooses the learning rate of an adaptation.

    It is a tenth of the detector's rate, or three tenths where labelled
    images say what is right. SGD's rate is scaled with the number of images
    in an iteration (``auto_scale_lr.base_batch_size``). Adam's rate is not, as
    the steps of Adam hardly depend on that number. A detector that is itself
    the result of an adaptation keeps its rate.

    Args:
        detector (Detector): The detector to adapt.
        labelled (bool): Whether the adaptation has labelled images.

    Returns:
        tuple[float, str]: The rate, and a text that says how it was computed.
    """
    cfg = detector.config
    wrapper = cfg.optim_wrapper
    optimizer = wrapper.optimizer
    if 'blend' in (cfg.get('adaptation') or {}):
        return optimizer['lr'], 'that of the adaptation before'
    part = 0.3 if labelled else 0.1
    lr_from = f'{part} of {optimizer["lr"]:.3g}'
    if str(optimizer.get('type')) == 'SGD':
        base = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
        counts = wrapper.get('accumulative_counts', 1)
        base = base or detector.train_batch * counts
        number = batch_size(detector)
        part *= number / base
        lr_from += f' for {base} images, here for {number}'
    return float(f'{optimizer["lr"] * part:.6g}'), lr_from

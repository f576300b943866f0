"""Tests a checkpoint with a config."""

from argparse import Namespace

from mmdet.engine.hooks.utils import trigger_visualization_hook
from mmdet.evaluation import DumpDetResults
from mmdet.utils import setup_cache_size_limit_of_dynamo
from mmengine.config import Config, ConfigDict

from da_faster.config_tree import unwrapped_datasets
from da_faster.data_check import stop_if_fatal
from da_faster.engine import trust_checkpoints
from da_faster.engine.work_dir_lock import make_work_dir
from da_faster.errors import UserError, logged

from .config import load_config, name_of
from .log_backends import check_backends
from .output_paths import check_file
from .runner import Runner


def test(
    config: Config | str,
    checkpoint: str,
    out: str | None = None,
    show: bool = False,
    show_dir: str | None = None,
    wait_time: float = 2,
    tta: bool = False,
    data_check: bool = True,
    trust_checkpoint: bool = False,
    **options,
) -> dict:
    """Evaluates a checkpoint, as ``tools/test.py`` does.

    Args:
        config (Config or str): A config, or a config file.
        checkpoint (str): The checkpoint file.
        out (str, optional): A file for the predictions (.pkl).
        show (bool): Whether to show each image with its detections.
        show_dir (str, optional): Name of a folder for drawn images, below the
            work dir. Drawn images keep the subfolders of the images.
        wait_time (float): Seconds for which an image is shown.
        tta (bool): Whether to test with augmentation, by flips unless the
            config sets it.
        data_check (bool): Whether to look for errors in the test data first.
        trust_checkpoint (bool): Load checkpoints that may run code. If it is
            not set, this process refuses such checkpoints from here on.
        **options: Arguments of ``load_config``.

    Returns:
        dict: Metrics by name, e.g. ``coco/bbox_mAP``.

    Raises:
        UserError: If the config, the data or the checkpoint cannot be used.
    """
    if out is not None and not out.endswith(('.pkl', '.pickle')):
        raise UserError(f'--out {out}: the file must end in .pkl.')
    check_file(checkpoint, 'checkpoint')
    setup_cache_size_limit_of_dynamo()
    cfg = load_config(config, **options)
    name = name_of(config)
    check_backends(cfg)
    trust_checkpoints(trust_checkpoint)
    cfg.load_from = checkpoint
    if not cfg.get('test_dataloader'):
        raise UserError(
            f'{name} has no test_dataloader, so there is nothing to test '
            'on: give it one, or take tools/predict.py to detect on images '
            'without labels.'
        )
    if not (cfg.get('test_evaluator') or out or show or show_dir):
        raise UserError(
            f'{name} has no labels to measure with (test_evaluator): give '
            '--show-dir or --out for its detections, or set the labels '
            '(test_labels, where it is made from the template).'
        )
    if data_check:
        stop_if_fatal(cfg, ('test',))
    make_work_dir(cfg.work_dir)
    if show or show_dir:
        trigger_visualization_hook(
            cfg, Namespace(show=show, show_dir=show_dir, wait_time=wait_time)
        )
        hook = cfg.default_hooks.visualization
        if hook.type == 'DetVisualizationHook':
            hook.type = 'FolderVisualizationHook'
    if tta:
        add_tta(cfg)
    with logged():
        runner = Runner.from_cfg(cfg)
        if out is not None:
            runner.test_evaluator.metrics.append(
                DumpDetResults(out_file_path=out)
            )
        metrics = runner.test()
    return metrics


def add_tta(cfg: Config) -> None:
    """Wraps the model of a config for test-time augmentation.

    The augmentation is that of the config, or else a flip.
    """
    tta_model = cfg.get(
        'tta_model',
        ConfigDict(
            type='DetTTAModel',
            tta_cfg=dict(
                nms=dict(type='nms', iou_threshold=0.5), max_per_img=100
            ),
        ),
    )
    dataset = next(unwrapped_datasets(cfg.test_dataloader))
    if 'tta_pipeline' not in cfg:
        flips = [dict(type='RandomFlip', prob=p) for p in (1.0, 0.0)]
        pack = dict(
            type='PackDetInputs',
            meta_keys=(
                'img_id',
                'img_path',
                'ori_shape',
                'img_shape',
                'scale_factor',
                'flip',
                'flip_direction',
            ),
        )
        cfg.tta_pipeline = [
            *dataset.pipeline[:-1],
            dict(type='TestTimeAug', transforms=[flips, [pack]]),
        ]
    cfg.model = ConfigDict(**tta_model, module=cfg.model)
    dataset.pipeline = cfg.tta_pipeline

"""Refuses checkpoints of another model."""

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.registry import HOOKS

from da_faster.engine.checkpoints import RefusedCheckpoint
from da_faster.engine.runner_internals import built_loop, is_resumed


@HOOKS.register_module()
class FittingCheckpointHook(Hook):
    """Refuses to resume or test with a checkpoint of another model.

    MMEngine loads the weights that fit and warns; the others stay random. That
    is wanted for initial weights (``load_from``) and a mistake elsewhere.

    Three rules hold for testing. The classes must be those of the training, in
    the same order. Weights of domain classifiers may be missing. A checkpoint
    of a detector without a teacher gives its weights to teacher and student.
    """

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        training = built_loop(runner, 'train') is not None
        if training and not is_resumed(runner):
            return
        if not training:
            check_classes(runner, checkpoint)
        model = runner.model
        while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
            model = model.module
        given = checkpoint.get('state_dict', checkpoint)
        given = {name.removeprefix('module.'): v for name, v in given.items()}
        wanted_weights = model.state_dict()
        if not training:
            # Testing needs no statistics of pseudo-labels. If the checkpoint
            # has no teacher, SemiBaseDetector loads it into both detectors.
            both = any(name.startswith('teacher.') for name in given)
            wanted_weights = {
                name if both else name.removeprefix('teacher.'): weight
                for name, weight in wanted_weights.items()
                if not name.startswith(('pseudo_labels.', 'source_model.'))
                and (both or not name.startswith('student.'))
            }
        for name, wanted in wanted_weights.items():
            if (
                name.endswith('num_batches_tracked')
                or not training
                and (
                    name.removeprefix('student.')
                    .removeprefix('teacher.')
                    .startswith(('domain_neck.', 'instance_domain_head.'))
                )
            ):
                continue
            there = given.get(name)
            if there is None or there.shape != wanted.shape:
                shape = 'missing' if there is None else tuple(there.shape)
                raise RefusedCheckpoint(
                    f'The checkpoint does not fit the config: {name} is '
                    f'{shape} in the checkpoint, {tuple(wanted.shape)} in the '
                    'model (another number of classes, another detector?).'
                )


def check_classes(runner, checkpoint: dict) -> None:
    """Compares the classes of a checkpoint with those of the test set.

    If the names differ, a warning is logged.

    Raises:
        RefusedCheckpoint: If the names are the same, in another order.
    """
    meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
    trained = tuple(meta.get('classes') or ())
    if not trained:
        return
    loop = built_loop(runner, 'test')
    dataset = getattr(getattr(loop, 'dataloader', None), 'dataset', None)
    tested = tuple(getattr(dataset, 'metainfo', {}).get('classes') or ())
    if not tested or trained == tested:
        return
    if sorted(trained) == sorted(tested):
        raise RefusedCheckpoint(
            'The checkpoint has its classes in the order '
            f'{" ".join(trained)}, the config in the order '
            f'{" ".join(tested)}: give metainfo.classes and the test file the '
            'order of the checkpoint.'
        )
    runner.logger.warning(
        f'The checkpoint was trained on the classes {" ".join(trained)} and '
        f'is tested on {" ".join(tested)}.'
    )

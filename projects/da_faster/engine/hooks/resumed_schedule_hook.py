"""Lets a resumed run follow a changed schedule or optimizer."""

import warnings

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS

from da_faster.engine.checkpoints import RefusedCheckpoint
from da_faster.engine.runner_internals import is_resumed

# Keys of a scheduler's state dict that hold its progress, not its settings.
STATE = {'last_step', '_global_step', '_last_value', 'verbose'}


@HOOKS.register_module()
class ResumedScheduleHook(Hook):
    """Lets a resume follow a config whose schedule or optimizer has changed.

    A checkpoint holds the settings of its schedulers and its optimizer, and
    MMEngine restores all of them. So a longer ``T_max`` or another ``lr`` in
    the config would have no effect. If a setting differs, this hook takes the
    config's settings. The learning rates become those of a run that had this
    schedule from its start. If no setting differs, nothing is changed.
    """

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        wrapper = runner.optim_wrapper
        if not is_resumed(runner):
            return
        warn_if_over(runner, checkpoint['meta']['iter'])
        if not isinstance(wrapper, OptimWrapper):
            return
        schedulers = runner.param_schedulers or []
        optimizer = checkpoint.get('optimizer')
        if optimizer is None or not isinstance(schedulers, list):
            return
        stored = checkpoint.get('param_schedulers') or []
        groups = list(optimizer['param_groups'])
        if 'base_param_settings' in optimizer:
            groups.append(optimizer['base_param_settings'])
        check_groups(wrapper.param_groups, groups)
        scheduled = {s.param_name for s in schedulers} | {'params'}
        changes = [
            *schedule_changes(schedulers, stored),
            *group_changes(wrapper.param_groups, groups, scheduled),
        ]
        if not changes:
            return
        rate = groups[0].get('lr')
        replay(schedulers, checkpoint['meta'])
        # MMEngine restores optimizer and schedulers after this hook, from what
        # the checkpoint holds then.
        for new, old in zip(wrapper.param_groups, groups):
            old.update({k: v for k, v in new.items() if k != 'params'})
        checkpoint['param_schedulers'] = [s.state_dict() for s in schedulers]
        runner.logger.warning(
            'The optimizer or the schedule of the config is not that of the '
            f'checkpoint ({"; ".join(dict.fromkeys(changes))}). The run '
            'follows the config, as if it had done so from its start: at '
            f'iteration {checkpoint["meta"]["iter"]} lr is '
            f'{groups[0].get("lr"):.4g}; the checkpoint has {rate:.4g}.'
        )


def warn_if_over(runner, iteration: int) -> None:
    """Warns if the training of the checkpoint is over."""
    if iteration >= runner.max_iters:
        runner.logger.warning(
            f'The checkpoint is of iteration {iteration}, and the training '
            f'ends at {runner.max_iters} (max_iters): there is nothing left '
            'to train.'
        )


def check_groups(new: list[dict], old: list[dict]) -> None:
    """Compares the parameter groups of the config with the checkpoint's.

    Raises:
        RefusedCheckpoint: If the checkpoint is of another optimizer.
    """
    advice = (
        'a resume needs the optimizer of the training; to take the weights '
        'alone, give load_from instead of --resume.'
    )
    if len(new) != len(old):
        raise RefusedCheckpoint(
            f'The optimizer of the config has {len(new)} groups of '
            f'parameters, that of the checkpoint {len(old)}: {advice}'
        )
    added, gone = set(new[0]) - set(old[0]), set(old[0]) - set(new[0])
    if added and gone:  # a newer PyTorch adds settings, or drops some
        raise RefusedCheckpoint(
            f'The optimizer of the config has {", ".join(sorted(added))}, '
            f'that of the checkpoint {", ".join(sorted(gone))}: {advice}'
        )


def schedule_changes(schedulers: list, stored: list[dict]) -> list[str]:
    """Names the settings of schedulers that differ from the checkpoint's."""
    if len(schedulers) != len(stored):
        return [f'{len(schedulers)} schedulers, before {len(stored)}']
    changes = []
    for scheduler, old in zip(schedulers, stored):
        new, name = scheduler.state_dict(), type(scheduler).__name__
        for key in sorted((new.keys() | old.keys()) - STATE):
            if key == 'base_values':
                if list(new[key]) != list(old.get(key, ())):
                    changes.append(f'{name} with another initial value')
            elif new.get(key) != old.get(key):
                changes.append(
                    f'{name}.{key} {new.get(key)}, before {old.get(key)}'
                )
    return changes


def group_changes(
    new: list[dict], old: list[dict], scheduled: set[str]
) -> list[str]:
    """Names the optimizer's settings that differ from the checkpoint's.

    Args:
        new (list[dict]): Parameter groups of the config's optimizer.
        old (list[dict]): Parameter groups of the checkpoint.
        scheduled (set[str]): Keys to leave out, as schedulers change them.
    """
    return [
        f'{key} {mine[key]}, before {theirs[key]}'
        for mine, theirs in zip(new, old)
        for key in mine
        if key in theirs and key not in scheduled and mine[key] != theirs[key]
    ]


def replay(schedulers: list, meta: dict) -> None:
    """Takes the steps of the checkpoint's iterations with new schedulers.

    Raises:
        RefusedCheckpoint: If a scheduler depends on past validations.
    """
    for scheduler in schedulers:
        if getattr(scheduler, 'need_val_args', False):
            raise RefusedCheckpoint(
                'The schedule of the config is not that of the checkpoint, '
                f'and {type(scheduler).__name__} depends on past validations: '
                'resume with the old schedule, or give load_from instead of '
                '--resume.'
            )
    with warnings.catch_warnings():
        # torch warns of a scheduler's step before the optimizer's first one.
        warnings.simplefilter('ignore')
        for by_epoch, steps in ((False, 'iter'), (True, 'epoch')):
            some = [s for s in schedulers if s.by_epoch == by_epoch]
            for _ in range(meta[steps] if some else 0):
                for scheduler in some:
                    scheduler.step()

"""A resume follows the learning rates that the config has now."""

import warnings

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS

from da_faster.engine.checkpoints import RefusedCheckpoint

# Where a scheduler stands, not what it was configured with.
STATE = {'last_step', '_global_step', '_last_value', 'verbose'}


@HOOKS.register_module()
class ResumedScheduleHook(Hook):
    """Lets a resume follow a config whose schedule or optimizer has changed.

    A checkpoint holds the settings of its schedulers and its optimizer, and
    MMEngine takes all of them up again. A longer ``T_max`` or another ``lr``
    would so have no effect. Where one differs, this hook takes the config's.
    The rates become those of a run that had this schedule from its start.
    Where nothing differs, nothing is touched.
    """

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        wrapper = runner.optim_wrapper
        if not runner._resume:
            return
        tell_the_end(runner, checkpoint['meta']['iter'])
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
        moved = {s.param_name for s in schedulers} | {'params'}
        changes = [
            *schedule_changes(schedulers, stored),
            *group_changes(wrapper.param_groups, groups, moved),
        ]
        if not changes:
            return
        rate = groups[0].get('lr')
        replay(schedulers, checkpoint['meta'])
        for new, old in zip(wrapper.param_groups, groups):
            old.update({k: v for k, v in new.items() if k != 'params'})
        checkpoint['param_schedulers'] = [s.state_dict() for s in schedulers]
        runner.logger.warning(
            'The optimizer or the schedule of the config is not that of the '
            f'checkpoint ({"; ".join(dict.fromkeys(changes))}). The run '
            'follows the config, as if it had done so from its start: at '
            f'iteration {checkpoint["meta"]["iter"]} lr is '
            f'{groups[0].get("lr"):.4g}, in the checkpoint {rate:.4g}.'
        )


def tell_the_end(runner, iteration: int) -> None:
    """Warns where there is nothing left to train."""
    if iteration >= runner.max_iters:
        runner.logger.warning(
            f'The checkpoint is of iteration {iteration}, and the training '
            f'ends at {runner.max_iters} (max_iters): there is nothing left '
            'to train.'
        )


def check_groups(new: list[dict], old: list[dict]) -> None:
    """Raises a RefusedCheckpoint for that of another optimizer."""
    mend = (
        'a resume needs the optimizer that it was trained with; to take the '
        'weights alone, give load_from instead of --resume.'
    )
    if len(new) != len(old):
        raise RefusedCheckpoint(
            f'The optimizer of the config has {len(new)} groups of '
            f'parameters, that of the checkpoint {len(old)}: {mend}'
        )
    added, gone = set(new[0]) - set(old[0]), set(old[0]) - set(new[0])
    if added and gone:  # a newer PyTorch adds settings, or drops some
        raise RefusedCheckpoint(
            f'The optimizer of the config has {", ".join(sorted(added))}, '
            f'that of the checkpoint {", ".join(sorted(gone))}: {mend}'
        )


def schedule_changes(schedulers: list, stored: list[dict]) -> list[str]:
    """What the schedulers of the config have otherwise, in words."""
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
    new: list[dict], old: list[dict], moved: set[str]
) -> list[str]:
    """What the optimizer of the config has otherwise, in words."""
    return [
        f'{key} {mine[key]}, before {theirs[key]}'
        for mine, theirs in zip(new, old)
        for key in mine
        if key in theirs and key not in moved and mine[key] != theirs[key]
    ]


def replay(schedulers: list, meta: dict) -> None:
    """Takes the steps that fresh schedulers would have taken by now."""
    for scheduler in schedulers:
        if getattr(scheduler, 'need_val_args', False):
            raise RefusedCheckpoint(
                'The schedule of the config is not that of the checkpoint, '
                f'and {type(scheduler).__name__} depends on past validations: '
                'resume with the old schedule, or give load_from instead of '
                '--resume.'
            )
    with warnings.catch_warnings():
        # Of steps of a schedule before the first of the optimizer.
        warnings.simplefilter('ignore')
        for by_epoch, steps in ((False, 'iter'), (True, 'epoch')):
            some = [s for s in schedulers if s.by_epoch == by_epoch]
            for _ in range(meta[steps] if some else 0):
                for scheduler in some:
                    scheduler.step()

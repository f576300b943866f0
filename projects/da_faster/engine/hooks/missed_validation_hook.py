"""Repeats a validation that was interrupted."""

import os
import os.path as osp

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import IterBasedTrainLoop

from da_faster.files import write_atomically

MARK = 'last_validation'


@HOOKS.register_module()
class MissedValidationHook(Hook):
    """Validates first if a resumed run was killed before its validation.

    The checkpoint of an iteration is written before its validation, so a
    resume would continue with the next iteration, or end, without the result.
    WORK_DIR/last_validation holds the last validated iteration. The hook works
    with loops that count iterations; it does nothing with others.
    """

    priority = 'LOWEST'  # run after every other hook is ready to validate

    def __init__(self) -> None:
        self.training = False

    def before_train(self, runner) -> None:
        loop, path = runner.train_loop, osp.join(runner.work_dir, MARK)
        if not isinstance(loop, IterBasedTrainLoop):
            return
        self.training = True
        if loop.iter == 0 and is_main_process() and osp.isfile(path):
            os.remove(path)  # left by an earlier run in this work dir
        done = [None]
        if is_main_process() and osp.isfile(path):
            with open(path) as file:
                done = [file.read()]
        # On several machines, the work dir may be several folders.
        broadcast_object_list(done)
        due = (
            loop.iter > 0
            and loop.iter >= loop.val_begin
            and (
                loop.iter % loop.val_interval == 0
                or loop.iter == loop.max_iters
            )
        )
        if runner.val_loop is None or not due or done[0] == str(loop.iter):
            return
        runner.logger.info(
            f'No validation of iteration {loop.iter} was completed: '
            'validating before the training continues.'
        )
        runner.val_loop.run()

    def after_val_epoch(self, runner, *args, **kwargs) -> None:
        if self.training and is_main_process():
            write_atomically(
                str(runner.iter).encode(), osp.join(runner.work_dir, MARK)
            )

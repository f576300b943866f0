"""A hook that writes down what each training iteration saw and did."""
import hashlib
import json
from pathlib import Path

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS


def digest(state_dict: dict) -> str:
    """A hash of all weights."""
    hashed = hashlib.sha256()
    for name, weight in sorted(state_dict.items()):
        hashed.update(name.encode() + weight.cpu().numpy().tobytes())
    return hashed.hexdigest()


@HOOKS.register_module()
class Recorder(Hook):
    """Appends a line an iteration to WORK_DIR/stream_RANK.jsonl.

    Args:
        stop_after (int, optional): Kills the run after so many iterations.
    """

    priority = 'LOWEST'

    def __init__(self, stop_after: int = None) -> None:
        self.stop_after = stop_after

    def after_train_iter(self, runner, batch_idx, data_batch, outputs):
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        samples = data_batch['data_samples']
        if not isinstance(samples, dict):
            samples = dict(source=samples)
        line = dict(
            iter=batch_idx + 1,
            lr=runner.optim_wrapper.get_lr()['lr'][0],
            losses=[k for k in outputs if 'loss' in k],
            weights=digest(model.state_dict()),
            **{
                domain: [s.img_id for s in batch]
                for domain, batch in samples.items()
            })
        path = Path(runner.work_dir) / f'stream_{get_rank()}.jsonl'
        with path.open('a') as file:
            file.write(json.dumps(line) + '\n')
        if batch_idx + 1 == self.stop_after:
            raise SystemExit('stopped')

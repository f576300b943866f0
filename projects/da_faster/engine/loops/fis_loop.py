"""Validation on images without labels."""

import torch
from mmdet.models.detectors import SemiBaseDetector
from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.evaluator import Evaluator
from mmengine.model import is_model_wrapper
from mmengine.registry import LOOPS
from mmengine.runner import ValLoop, autocast
from mmengine.structures import InstanceData
from torch import nn
from torch.utils.data import DataLoader

from da_faster.listing import spread

from .fis import fis
from .random_streams import TARGET, Draw, SeededFetch, run_seed


@LOOPS.register_module()
class FISLoop(ValLoop):
    """A ValLoop that measures FIS, too, which needs no labels.

    FIS says how much the detections change when the weights move a little
    (DAS, NeurIPS 2024). Hooks get it among the metrics, as ``fis``. So
    ``CheckpointHook(save_best='fis', rule='less')`` keeps the steadiest
    checkpoint. It is NaN, which is never the best, where nothing is detected.

    It is measured on the images of ``val_dataloader``, of a ``TargetDataset``
    or of any other dataset. With ``val_evaluator=[]`` nothing else is.

    Weights and random generators are afterwards as they were. Several
    processes share the images. Of a teacher and a student, the one that
    predicts is measured.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader or dict): As of ValLoop. FIS takes its images
            one by one, in this process.
        evaluator (Evaluator or dict or list): As of ValLoop.
        fp16 (bool): As of ValLoop.
        num (int): Images to look at for FIS, spread over the dataset.
        draws (int): How often the weights are moved.
    """

    def __init__(
        self,
        runner,
        dataloader: DataLoader | dict,
        evaluator: Evaluator | dict | list,
        fp16: bool = False,
        num: int = 20,
        draws: int = 3,
    ) -> None:
        for name, value in (('num', num), ('draws', draws)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f'FISLoop: {name} must be an integer of at least 1, got '
                    f'{value!r}'
                )
        super().__init__(runner, dataloader, evaluator, fp16)
        self.num = num
        self.draws = draws

    def run(self) -> dict:
        """Validates.

        Returns:
            dict: Metrics, ``fis`` among them.
        """
        hook = self.runner.call_hook
        hook('before_val')
        hook('before_val_epoch')
        self.runner.model.eval()
        metrics = {}
        if self.evaluator.metrics:
            for index, batch in enumerate(self.dataloader):
                self.run_iter(index, batch)
            metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        metrics['fis'] = self.fis()
        hook('after_val_epoch', metrics=metrics)
        hook('after_val')
        return metrics

    def fis(self) -> float:
        """FIS of the weights as they are, in all processes."""
        cuda = torch.cuda.is_available()
        devices = [torch.cuda.current_device()] if cuda else []
        with torch.random.fork_rng(devices):
            return fis(
                self.predictor(),
                self.detections,
                self.draws,
                gather=in_all_processes,
            )

    def predictor(self) -> nn.Module:
        """The detector that predicts."""
        model = self.runner.model
        model = model.module if is_model_wrapper(model) else model
        if isinstance(model, SemiBaseDetector):
            return getattr(
                model, model.semi_test_cfg.get('predict_on', 'teacher')
            )
        return model

    @torch.no_grad()
    def detections(self) -> list[InstanceData]:
        """What it finds on this process' share of the images."""
        dataset = self.dataloader.dataset
        fetch = SeededFetch(dataset, run_seed(self.runner), TARGET)
        chosen = spread(range(len(dataset)), self.num)
        found = []
        for index in chosen[get_rank() :: get_world_size()]:
            batch = self.dataloader.collate_fn(fetch([Draw(index, index)]))
            with autocast(enabled=self.fp16):
                (sample,) = self.runner.model.val_step(batch)
            boxes = sample.pred_instances
            found.append(
                InstanceData(
                    bboxes=boxes.bboxes.float().cpu(),
                    scores=boxes.scores.float().cpu(),
                    labels=boxes.labels.cpu(),
                )
            )
        return found


def in_all_processes(own: list) -> list:
    """What every process has, in one list."""
    return [item for part in all_gather_object(own) for item in part]

"""Draws the detections of each test image."""

import os
import os.path as osp

import mmcv
from mmdet.engine.hooks import DetVisualizationHook
from mmengine.evaluator import DumpResults
from mmengine.fileio import get
from mmengine.registry import HOOKS


@HOOKS.register_module()
class FolderVisualizationHook(DetVisualizationHook):
    """DetVisualizationHook whose pictures keep the folders of the images.

    MMDetection names pictures by the file name alone, so ``day1/1.jpg`` and
    ``day2/1.jpg`` would be one picture. Labels are drawn only if the test
    measures with them.

    Args:
        **kwargs: Arguments of DetVisualizationHook.
    """

    def before_test_epoch(self, runner) -> None:
        if self.test_out_dir is not None:
            self.test_out_dir = osp.join(
                runner.work_dir, runner.timestamp, self.test_out_dir
            )
            self.names = relative_paths(runner.test_dataloader.dataset)

    def after_test_iter(
        self, runner, batch_idx: int, data_batch, outputs
    ) -> None:
        if not self.draw:
            return
        measured = any(
            not isinstance(metric, DumpResults)
            for metric in runner.test_evaluator.metrics
        )
        for sample in outputs:
            self._test_index += 1
            path = sample.img_path
            out_file = None
            if self.test_out_dir is not None:
                out_file = osp.join(self.test_out_dir, self.names[path])
                os.makedirs(osp.dirname(out_file), exist_ok=True)
            self._visualizer.add_datasample(
                osp.basename(path) if self.show else 'test_img',
                mmcv.imfrombytes(
                    get(path, backend_args=self.backend_args),
                    channel_order='rgb',
                ),
                data_sample=sample,
                draw_gt=measured,
                show=self.show,
                wait_time=self.wait_time,
                pred_score_thr=self.score_thr,
                out_file=out_file,
                step=self._test_index,
            )


def relative_paths(dataset) -> dict[str, str]:
    """Paths of the images, relative to their common folder, by full path."""
    paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    folders = {osp.dirname(osp.abspath(path)) for path in paths}
    try:
        base = osp.commonpath(folders)
    except ValueError:  # two drives of Windows
        return {p: osp.splitdrive(p)[1].lstrip('/\\') for p in paths}
    return {path: osp.relpath(path, base) for path in paths}

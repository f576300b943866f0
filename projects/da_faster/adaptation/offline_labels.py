"""Labels a folder with one detector, for another one to learn from."""

import json
import os.path as osp

import mmcv

from da_faster.apis.output_paths import check_possible_folder, make_folder
from da_faster.coco_files import coco_content
from da_faster.datasets.target_dataset import images_below
from da_faster.detectors import Detector, detect
from da_faster.errors import UserError
from da_faster.files import write_atomically
from da_faster.models.self_training.score_threshold import score_thr_at_most
from da_faster.progress import progress


def label_folder(
    config: str,
    checkpoint: str,
    folder: str,
    out: str,
    threshold: float | None = None,
    force: bool = False,
    trust_checkpoint: bool = False,
) -> dict:
    """Writes a detector's confident boxes as a COCO file, like DINO Teacher.

    ``info.pseudo_labels`` names the detector, its checkpoint and the
    threshold. Each annotation keeps its ``score``.

    Args:
        config (str): The detector's config: a file, ``mmdet::NAME`` or
            ``da_faster::NAME``.
        checkpoint (str): The detector's checkpoint: a file or a URL.
        folder (str): A folder of images.
        out (str): The COCO file; file names are relative to ``folder``.
        threshold (float, optional): The lowest score of a label. Default:
            0.5, with sigmoid scores 0.4.
        force (bool): Replace an earlier file.
        trust_checkpoint (bool): Load a checkpoint that may run code.

    Returns:
        dict: The content of the file.

    Raises:
        UserError: If something given cannot be used, or if no score reaches
            the threshold.
    """
    if osp.isdir(out) or not out.endswith('.json'):
        raise UserError(f'--out {out}: it takes the name of a .json file.')
    if osp.exists(out) and not force:
        raise UserError(f'{out} exists; give --force to replace it.')
    if threshold is not None and not 0 < threshold <= 1:
        raise UserError(f'--threshold must lie in (0, 1], got {threshold}.')
    paths = images_below(folder)
    detector = Detector.read(config, checkpoint, trust_checkpoint)
    detector.check_box_head()
    detector.check_test_pipeline()
    if threshold is None:
        threshold, _ = detector.score_bounds
    model = detector.open()
    detector.try_out(model, paths[0])
    check_possible_folder(osp.dirname(out) or '.', '--out')
    with score_thr_at_most(model, threshold):
        found = (detect(model, path) for path in paths)
        found = list(progress(found, len(paths), 'images labelled'))
    found = [boxes[boxes.scores >= threshold] for boxes in found]
    if not any(map(len, found)):
        raise UserError(
            f'{checkpoint} finds nothing in {folder}: no score reaches '
            f'{threshold}; give a lower --threshold.'
        )
    made = dict(config=config, checkpoint=checkpoint, threshold=threshold)
    if detector.sha256:
        made['sha256'] = detector.sha256
    images = [
        (osp.relpath(path, folder), mmcv.imread(path).shape[:2])
        for path in paths
    ]
    content = coco_content(
        images,
        found,
        detector.classes,
        dict(description='pseudo-labels', pseudo_labels=made),
    )
    # Not before: an input that cannot be used leaves no folder behind.
    make_folder(osp.dirname(out) or '.', '--out')
    write_atomically(json.dumps(content).encode(), out)
    return content

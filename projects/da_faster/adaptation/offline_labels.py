"""A detector labels a folder once, for another one to learn from."""

import json
import os.path as osp
from pathlib import Path

import cv2

from da_faster.engine.checkpoints.files import file_sha256, write_atomically
from da_faster.errors import UserError
from da_faster.progress import progress

from .derived import derive
from .detector import detect, images_below, load_detector, read_any_config


def label_folder(
    config: str,
    checkpoint: str,
    folder: str,
    out: str,
    threshold: float | None = None,
    force: bool = False,
    trust_checkpoint: bool = False,
) -> dict:
    """Writes a detector's sure boxes as a COCO file, as DINO Teacher does.

    ``info.pseudo_labels`` says who made them and how; each annotation keeps
    its ``score``.

    Args:
        config (str): Of the detector.
        checkpoint (str): Its checkpoint.
        folder (str): Images.
        out (str): The COCO file; file names are relative to ``folder``.
        threshold (float, optional): Lowest score. Default: by the kind of the
            detector's scores.
        force (bool): Replace an earlier file.
        trust_checkpoint (bool): Load a checkpoint that may run code.

    Returns:
        dict: The content.

    Raises:
        UserError: If something given cannot be used, or if no box is sure.
    """
    if osp.exists(out) and not force:
        raise UserError(f'{out} exists; give --force to replace it.')
    if threshold is not None and not 0 < threshold <= 1:
        raise UserError(f'--threshold must lie in (0, 1], got {threshold}.')
    paths = images_below(folder)
    cfg = read_any_config(config)
    derived = derive(cfg, config)
    threshold = derived.scores[0] if threshold is None else threshold
    model = load_detector(cfg, checkpoint, trust_checkpoint)
    images, annotations = [], []
    found = (detect(model, path) for path in paths)
    looked = progress(zip(paths, found), len(paths), 'images labelled')
    for number, (path, boxes) in enumerate(looked, 1):
        height, width = cv2.imread(path).shape[:2]
        images.append(
            dict(
                id=number,
                file_name=Path(path).relative_to(folder).as_posix(),
                width=width,
                height=height,
            )
        )
        boxes = boxes[boxes.scores >= threshold]
        for box, label, score in zip(
            boxes.bboxes.tolist(), boxes.labels.tolist(), boxes.scores.tolist()
        ):
            x, y, right, bottom = box
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=number,
                    category_id=label + 1,
                    bbox=[x, y, right - x, bottom - y],
                    area=(right - x) * (bottom - y),
                    iscrowd=0,
                    score=score,
                )
            )
    if not annotations:
        raise UserError(
            f'{checkpoint} is sure of nothing in {folder}: no score reaches '
            f'{threshold}; give a lower --threshold.'
        )
    made = dict(config=config, checkpoint=checkpoint, threshold=threshold)
    if osp.isfile(checkpoint):
        made['sha256'] = file_sha256(checkpoint)
    content = dict(
        info=dict(description='pseudo-labels', pseudo_labels=made),
        images=images,
        annotations=annotations,
        categories=[
            dict(id=i, name=name) for i, name in enumerate(derived.classes, 1)
        ],
    )
    write_atomically(json.dumps(content).encode(), out)
    return content

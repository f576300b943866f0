"""Loads any detector to look at images."""

import hashlib
import os.path as osp
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlparse

import mmdet
import numpy as np
import torch
from mmdet.apis import inference_detector, init_detector
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.structures import InstanceData
from torch import nn
from torch.hub import download_url_to_file, get_dir

from da_faster.checkpoint_conversion import StockDetector, convert_to_stock
from da_faster.config_files import enter_scope, read_config
from da_faster.config_tree import leaves
from da_faster.data_check import dataset_classes
from da_faster.datasets import TargetDataset
from da_faster.errors import UserError, describe_error
from da_faster.listing import IMAGE_SUFFIXES

from .type_names import with_type_names


def read_any_config(name: str) -> Config:
    """A config file, one of this package, or one that MMDetection carries.

    Args:
        name (str): A path, ``da_faster::NAME`` or ``mmdet::NAME``.

    Raises:
        UserError: If there is none.
    """
    try:
        cfg = read_named(name) if name.startswith('mmdet::') else None
        cfg = with_type_names(cfg or read_config(name))
    except ImportError as error:
        raise UserError(
            f'{name} needs a package that is not installed '
            f'({describe_error(error)[:200]}).'
        ) from error
    return with_preprocessor(cfg)


def with_preprocessor(cfg: Config) -> Config:
    """The config, whose model has the data_preprocessor beside it.

    As Runner does; what the model has of its own stays.
    """
    preprocessor = cfg.get('data_preprocessor')
    if preprocessor and cfg.get('model'):
        detector = cfg.model.get('detector', cfg.model)
        detector.setdefault('data_preprocessor', preprocessor)
    return cfg


def read_named(name: str) -> Config:
    """The config ``mmdet::FOLDER/NAME`` of the installed MMDetection."""
    path = name if name.endswith('.py') else f'{name}.py'
    try:
        return get_config(path)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        # MMEngine does not take folders such as gn+ws and legacy_1.x.
        carried = Path(mmdet.__file__).parent / '.mim' / 'configs'
        file = carried / path.partition('::')[2]
        if file.is_file():
            return read_config(file)
        raise UserError(
            f'MMDetection carries no config {name} ({error}).'
        ) from error


def write_stock(
    cfg: Config,
    checkpoint: str,
    out: Path,
    trust: bool = False,
    student: bool = False,
) -> StockDetector:
    """Writes a detector as a stock one, where its weights fit its config.

    Args:
        cfg (Config): Its config.
        checkpoint (str): A file or a URL.
        out (Path): The weights; the config goes beside them.
        trust (bool): Load a checkpoint that may run code.
        student (bool): Of a MeanTeacher, the student.

    Raises:
        UserError: If the checkpoint cannot be read or does not fit.
    """
    if '://' in checkpoint:
        checkpoint = download(checkpoint)
    return convert_to_stock(
        cfg,
        checkpoint,
        out,
        force=True,
        trust=trust,
        student=student,
        classes=class_names(cfg),
    )


def download(url: str) -> str:
    """The file of a URL, where torch keeps those. None of its code runs.

    A hash of the URL tells ``latest.pth`` from those of other addresses.

    Raises:
        UserError: If it cannot be had.
    """
    stem, suffix = osp.splitext(osp.basename(urlparse(url).path))
    digest = hashlib.sha256(url.encode()).hexdigest()[:8]
    path = Path(get_dir(), 'checkpoints', f'{stem}-{digest}{suffix}')
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            download_url_to_file(url, str(path))
        except (OSError, ValueError) as error:
            raise UserError(
                f'{url} could not be downloaded ({error}).'
            ) from error
    return str(path)


def class_names(cfg: Config) -> tuple | None:
    """The names of the classes, in the detector's order, if they are there.

    Raises:
        UserError: If they are a text.
    """
    enter_scope(cfg)
    for key in ('train_dataloader', 'test_dataloader'):
        for dataset in leaves(cfg.get(key)):
            if classes := dataset_classes(dataset):
                return classes
    return None


def load_detector(
    cfg: Config, checkpoint: str, trust: bool = False, student: bool = False
) -> nn.Module:
    """A detector of stock MMDetection, on the accelerator if there is one.

    Args:
        cfg (Config): Its config.
        checkpoint (str): A file or a URL.
        trust (bool): Load a checkpoint that may run code.
        student (bool): Of a MeanTeacher, the student.

    Raises:
        UserError: If the checkpoint cannot be read or does not fit.
    """
    with TemporaryDirectory() as folder:
        out = Path(folder) / 'x.pth'
        stock = write_stock(cfg, checkpoint, out, trust, student)
        return open_stock(stock.config, stock.checkpoint)


def open_stock(config: Path, checkpoint: Path) -> nn.Module:
    """What :func:`write_stock` wrote, ready to detect."""
    device = 'cuda:0' if torch.cuda.is_available() else 'cpu'
    try:
        return init_detector(str(config), str(checkpoint), device=device)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f'the detector cannot be built ({describe_error(error)}): mend '
            'its config, or install what it needs.'
        ) from error


def detect(
    model: nn.Module, image: str | np.ndarray, name: str | None = None
) -> InstanceData:
    """Detections in an image file, or in an image, on the CPU.

    Args, errors: as of :func:`look`.
    """
    found = look(model, image, name)
    if 'pred_instances' not in found:
        raise UserError(
            f'{type(model).__name__} predicts no boxes: take a detector that '
            'finds boxes.'
        )
    return found.pred_instances.cpu()


def look(
    model: nn.Module, image: str | np.ndarray, name: str | None = None
) -> DetDataSample:
    """What a detector says of an image file, or of an image.

    Args:
        model (nn.Module): Of :func:`load_detector`.
        image (str or ndarray): A file, or (H, W, 3), BGR, uint8.
        name (str, optional): Of an ndarray, for messages.

    Returns:
        DetDataSample: Detections in pixels of the image, and how the image
        was brought to size.

    Raises:
        UserError: If the file cannot be read.
    """
    try:
        return inference_detector(model, image)
    except Exception as error:
        raise UserError(
            f'{name or image} could not be looked at '
            f'({describe_error(error)}); repair it, or take it out of its '
            'folder.'
        ) from error


def try_detector(
    model: nn.Module, image: str, classes: tuple, config: str, checkpoint: str
) -> None:
    """Has a detector look at an image, before there is more work.

    Args:
        model (nn.Module): Of :func:`load_detector`.
        image (str): A file.
        classes (tuple[str]): Of its config.
        config (str): For messages.
        checkpoint (str): For messages.

    Raises:
        UserError: If it cannot, or if its weights are of other classes.
    """
    trained = model.dataset_meta['classes']
    trained = (trained,) if isinstance(trained, str) else tuple(trained)
    if trained != classes:
        raise UserError(
            f'{checkpoint} was trained on the classes {" ".join(trained)}, '
            f'{config} has {" ".join(classes)}: give the config of its '
            'training.'
        )
    try:
        found = detect(model, image)
    except UserError as error:
        cause = error.__cause__
        if cause is None:
            raise UserError(f'{config}: {error}') from error
        raise UserError(
            f'{config} cannot look at {image} ({describe_error(cause)}): it '
            'takes an image that opens, and a detector that needs nothing '
            'else.'
        ) from cause
    missing = {'bboxes', 'scores', 'labels'}.difference(found.keys())
    if missing:
        raise UserError(
            f'{config} predicts no {", ".join(sorted(missing))}: it takes a '
            'detector that finds boxes.'
        )


def images_below(folder: str) -> list[str]:
    """The image files of a folder and of those in it, in order.

    Raises:
        UserError: If there is none.
    """
    if not osp.isdir(folder):
        raise UserError(f'{folder} is not a folder of images.')
    dataset = TargetDataset(
        data_prefix=dict(img=osp.join(folder, '')), pipeline=[], lazy_init=True
    )
    try:
        return [item['img_path'] for item in dataset.load_data_list()]
    except ValueError as error:
        raise UserError(
            f'no image found in {folder} ({", ".join(IMAGE_SUFFIXES)}): give '
            'a folder that has some.'
        ) from error

"""One picture of what a config trains on, after its training pipelines.

The upper row shows source images with their boxes, the lower row target
images. Each image is shown twice. Left: the output of the pipeline. Right: the
input of the detector, normalised and padded, in the colours that weights from
ImageNet take it for. Block masking of a mean teacher is not shown.
"""

import os.path as osp
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from mmdet.registry import DATASETS, MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config, ConfigDict

from da_faster.config_tree import detector_of, unwrapped_datasets
from da_faster.data_check import stop_if_fatal
from da_faster.engine.loops.random_streams import seeded
from da_faster.errors import UserError

from .figures import draw_box, make_figure, save_figure, show_image

# Normalisation of weights from ImageNet: Caffe (BGR) and PyTorch (RGB).
CAFFE = dict(mean=(102.98, 115.95, 122.77), std=(1, 1, 1))
PYTORCH = dict(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))


def draw_samples(dataset_cfg: ConfigDict, num: int, seed: int) -> list[dict]:
    """Loads items of a dataset, spread evenly over it, with its pipeline.

    An image with several views gives the first one, the student's.

    Args:
        dataset_cfg (ConfigDict): The dataset.
        num (int): Number of items, or all where there are fewer.
        seed (int): Seed of the pipeline's random numbers.

    Raises:
        UserError: If an image does not pass the pipeline.
    """
    dataset = DATASETS.build(dataset_cfg)
    indices = np.linspace(0, len(dataset) - 1, min(num, len(dataset)))
    items = []
    for index in indices.round().astype(int).tolist():
        with seeded(seed, index):  # the same picture every time
            item = dataset[index]
        if item is None:
            raise UserError(
                f'image {index} of {dataset_cfg.type} does not '
                'pass its pipeline: check its filters.'
            )
        if isinstance(item['inputs'], dict):  # MultiBranch
            item = {k: next(iter(views.values())) for k, views in item.items()}
        items.append(item)
    return items


def normalise(model_cfg: ConfigDict, items: list[dict]) -> list[np.ndarray]:
    """Applies the detector's data preprocessor.

    Args:
        model_cfg (ConfigDict): The detector.
        items (list[dict]): Outputs of a pipeline.

    Returns:
        list[ndarray]: The images, (H, W, 3), channels in the detector's order.
    """
    preprocessor = MODELS.build(model_cfg.data_preprocessor)
    batch = dict(
        inputs=[item['inputs'] for item in items],
        data_samples=[item['data_samples'].clone() for item in items],
    )
    inputs = preprocessor(batch, False)['inputs']
    return [image.permute(1, 2, 0).numpy() for image in inputs]


def as_picture(image: np.ndarray) -> np.ndarray:
    """Converts the output of a pipeline to a picture.

    Args:
        image (ndarray): (H, W, C), BGR, or grey with one channel. Photometric
            transforms leave floats from 0 to 255, which Matplotlib would take
            for 0 to 1. 16 bits are scaled to 8; a fourth channel is left out.

    Returns:
        ndarray: (H, W, 3), RGB, uint8.
    """
    if image.dtype == np.uint16:
        image = image / 257
    if image.shape[-1] == 1:
        image = image.repeat(3, axis=-1)
    return np.clip(np.rint(image[..., 2::-1]), 0, 255).astype(np.uint8)


def as_weights_read_it(image: np.ndarray, model_cfg: ConfigDict) -> np.ndarray:
    """Converts a normalised image to the picture that the weights expect.

    The normalisation is undone with the constants of the weights, not of the
    config, so that a mistake in the config is visible. A ``std`` of about 1
    shows that weights come from Caffe.

    Args:
        image (ndarray): (H, W, 3), normalised.
        model_cfg (ConfigDict): The detector.

    Returns:
        ndarray: (H, W, 3), RGB, uint8.
    """
    std = model_cfg.data_preprocessor.get('std') or (1,)
    caffe = max(std) < 10
    known = CAFFE if caffe else PYTORCH
    image = image * known['std'] + known['mean']
    if caffe:
        image = image[..., ::-1]
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def draw_boxes(
    ax: Axes, sample: DetDataSample, classes: Sequence[str], colours: list
) -> int:
    """Draws the labelled boxes of a sample, and returns their number."""
    instances = sample.get('gt_instances')
    if instances is None or 'bboxes' not in instances:
        return 0
    boxes = instances.bboxes
    boxes = getattr(boxes, 'tensor', boxes).numpy()
    for (x1, y1, x2, y2), label in zip(boxes, instances.labels.tolist()):
        colour = colours[label % len(colours)]
        box = x1, y1, x2 - x1, y2 - y1
        draw_box(ax, box, classes[label], colour, lw=1)
    return len(boxes)


def statistics(images: list[np.ndarray]) -> str:
    """Describes images by mean and standard deviation of each channel."""
    pixels = np.concatenate(
        [image.reshape(-1, image.shape[-1]) for image in images]
    )
    rounded = [
        ' '.join(f'{value:.2f}' for value in values)
        for values in (pixels.mean(0), pixels.std(0))
    ]
    return f'mean {rounded[0]}, std {rounded[1]}'


def browse(cfg: Config, out: str, num: int = 3, seed: int = 0) -> str:
    """Writes the picture of both domains.

    Args:
        cfg (Config): A train config.
        out (str): The path of the picture.
        num (int): Number of images of each domain.
        seed (int): Seed of the pipelines' random numbers.

    Returns:
        str: Mean and standard deviation of the detector's input, a line for
        each domain.

    Raises:
        UserError: If the data has a fatal error, or an image does not pass
            its pipeline.
    """
    if num < 1:
        raise UserError(f'num must be at least 1, got {num}.')
    stop_if_fatal(cfg)
    sets = dict(source=cfg.train_dataloader.dataset)
    target = (cfg.get('train_cfg') or {}).get('target_dataloader')
    if target:
        sets['target'] = target.dataset
    source = dict(
        next(unwrapped_datasets(cfg.train_dataloader)),
        pipeline=[],
        lazy_init=True,
    )
    classes = DATASETS.build(source).metainfo['classes']
    colours = colormaps['tab10'].colors
    detector = detector_of(cfg.model)
    columns = 2 * num
    size = 2.6 * columns, 2.7 * len(sets) + 0.5
    fig, axes = make_figure(len(sets), columns, size)
    lines = []
    for row, (domain, dataset) in zip(axes, sets.items()):
        items = draw_samples(dataset, num, seed)
        seen = normalise(detector, items)
        lines.append(f'{domain}, as the detector gets it: {statistics(seen)}')
        for i, (item, image) in enumerate(zip(items, seen)):
            left, right = row[2 * i : 2 * i + 2]
            plain = as_picture(item['inputs'].permute(1, 2, 0).numpy())
            show_image(left, plain)
            sample = item['data_samples']
            count = draw_boxes(left, sample, classes, colours)
            name = osp.basename(sample.metainfo.get('img_path', ''))
            labels = f', {count} boxes' if domain == 'source' else ''
            left.set_title(f'{domain}: {name[-30:]}{labels}', fontsize=7)
            show_image(right, as_weights_read_it(image, detector))
            right.set_title(
                f'{image.shape[1]}x{image.shape[0]} (image '
                f'{plain.shape[1]}x{plain.shape[0]})',
                fontsize=7,
            )
    fig.suptitle('\n'.join(lines), fontsize=9)
    save_figure(fig, out)
    return '\n'.join(lines)

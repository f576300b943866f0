"""Writer of the generated domain pair city2foggy."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2

from da_faster.data_conversion.arguments import check_positive
from da_faster.data_conversion.coco import CocoSplit
from da_faster.data_conversion.output import atomic_folder
from da_faster.data_conversion.parallel import track_splits
from da_faster.data_conversion.samples import AnyPath, ConversionError
from da_faster.datasets.foggy_city.fog import DEFAULT_BETA, transmittance
from da_faster.datasets.foggy_city.render import CLASSES, MIN_SIZE, make_scene

# Annotation file -> (image folder, split of the generator, foggy).
PARTS = dict(
    source_train=('source', 'source', False),
    target_train=('target', 'target', True),
    target_test=('target_test', 'test', True),
    source_test=('source_test', 'test', False),
)


def write_scene(task: tuple) -> list[tuple]:
    """Writes the images of one scene.

    Args:
        task: (root, seed, split, index, size, wanted), where wanted has pairs
            of an image folder and the beta of its images.

    Returns:
        (label, box, area) of every visible object, pixels.
    """
    root, seed, split, index, size, wanted = task
    scene = make_scene(seed, split, index, size)
    for folder, beta in wanted:
        image = scene.photograph(beta)
        path = str(root / folder / f'{index:06d}.png')
        if not cv2.imwrite(path, image[..., ::-1]):
            raise OSError(f'{path} could not be written')
    return [(item.label, item.box, item.area) for item in scene.instances]


def collect(
    objects: Sequence[list[tuple]], size: tuple[int, int]
) -> CocoSplit:
    """Builds one annotation file; its image ids begin at 0.

    Args:
        objects: Objects of each image, as :func:`write_scene` returns them.
        size: Width and height of the images, pixels.
    """
    split = CocoSplit(CLASSES, first_image_id=0)
    for index, items in enumerate(objects):
        split.add_image(f'{index:06d}.png', *size)
        for label, box, area in items:
            split.add_box(CLASSES[label], *box, area=area)
    return split


def check_arguments(seed: int, beta: float, size: tuple[int, int]) -> None:
    """Raises a ConversionError if a scene cannot be drawn."""
    if seed < 0:
        raise ConversionError(f'--seed must not be negative, got {seed}.')
    if size[0] < MIN_SIZE[0] or size[1] < MIN_SIZE[1]:
        raise ConversionError(
            f'--size must be at least {MIN_SIZE}, got {size}.'
        )
    try:
        transmittance(0.0, beta)
    except ValueError as error:
        raise ConversionError(f'--{error}.') from error


def convert(
    *,
    out: AnyPath = 'data/city2foggy',
    seed: int = 0,
    beta: float = DEFAULT_BETA,
    num_source: int = 400,
    num_target: int = 400,
    num_test: int = 150,
    size: Sequence[int] = (384, 192),
    force: bool = False,
    nproc: int | None = None,
) -> dict[Path, CocoSplit]:
    """Draws the images and writes four annotation files.

    The files are ``annotations/{source,target}_{train,test}.json``. OpenCV is
    set to a single thread.

    Args:
        out: The folder to make.
        seed: Seed of the scenes, not negative. The same seed gives the same
            bytes.
        beta: Attenuation coefficient of the fog, 1/m.
        num_source, num_target, num_test: Number of scenes of a split.
        size: Width and height of the images, pixels.
        force: Replace an earlier result.
        nproc: Number of processes; default: one per core.

    Returns:
        {path of the annotation file: its content}.

    Raises:
        ConversionError: If an argument is wrong or nothing can be written.
    """
    out, size = Path(out), tuple(size)
    check_arguments(seed, beta, size)
    check_positive(
        num_source=num_source, num_target=num_target, num_test=num_test
    )
    counts = dict(source=num_source, target=num_target, test=num_test)
    contents = [folder for folder, _, _ in PARTS.values()] + ['annotations']
    with atomic_folder(out, contents, force) as root:
        tasks = {}
        for split, count in counts.items():
            wanted = tuple(
                (folder, beta if foggy else 0.0)
                for folder, scenes, foggy in PARTS.values()
                if scenes == split
            )
            for folder, _ in wanted:
                (root / folder).mkdir()
            tasks[split] = [
                (root, seed, split, index, size, wanted)
                for index in range(count)
            ]
        # The processes take the cores. The threads are set before the fork: a
        # child inherits OpenCV's pool of threads without the threads, and
        # would wait for them forever.
        cv2.setNumThreads(1)
        objects = track_splits(write_scene, tasks, nproc)

        (root / 'annotations').mkdir()
        splits = {}
        for name, (_, split, foggy) in PARTS.items():
            splits[name] = collect(objects[split], size)
            content = dict(
                splits[name].content(),
                info=dict(
                    description='city2foggy',
                    beta=beta if foggy else 0.0,
                    seed=seed,
                ),
            )
            (root / 'annotations' / f'{name}.json').write_text(
                json.dumps(content, separators=(',', ':'), sort_keys=True)
            )
    return {
        out / 'annotations' / f'{name}.json': split
        for name, split in splits.items()
    }

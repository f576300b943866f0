"""Measures features of detectors; writes a picture and a file of numbers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.config import Config
from torch import nn

from da_faster.apis.output_paths import make_output_folder
from da_faster.apis.prediction import short
from da_faster.config_files import enter_scope
from da_faster.data_check import DataReader
from da_faster.datasets.target_dataset import images_below
from da_faster.detectors import Detector
from da_faster.errors import UserError
from da_faster.files import write_atomically
from da_faster.listing import choose_evenly
from da_faster.progress import progress
from da_faster.visualization.figures import save_figure

from .distance import Distance, proxy_a_distance
from .extraction import Features, features_of, gather, vector_head
from .picture import NO_CLASS, Panel, draw, embed

FEW = 50  # with fewer images of a domain, the distance is rough
READING = (
    'Proxy A-distance: 2 means that a linear classifier always tells the '
    'domains apart on images that it was not trained on, 0 that it can only '
    'guess. A smaller distance says that the features are more alike, not '
    'that the detector has become better.'
)


class Measured(NamedTuple):
    """Distances of a detector's features.

    Attributes:
        title: Title of the detector in the picture.
        image: Distance of the image vectors.
        box: Distance of the box vectors; None if fewer than two images of a
            domain have a detected box.
        two_stages: Whether box vectors are the input of a box head; if not,
            they are means of the feature maps.
    """

    title: str
    image: Distance
    box: Distance | None
    two_stages: bool

    def __str__(self) -> str:
        box = f'boxes {self.box}' if self.box else 'too few boxes'
        return f'{self.title}: images {self.image}, {box}'


class Result(NamedTuple):
    """Results and files of :func:`measure`.

    Attributes:
        detectors: Distances of the detectors, in the order given.
        notes: The images that were used, and warnings, a sentence each.
        picture: Path of the picture.
        numbers: Path of the json.
    """

    detectors: list[Measured]
    notes: list[str]
    picture: str
    numbers: str


def images_of(
    cfg: Config, name: str, source: str | None, target: str | None
) -> dict[str, tuple[str, list[str]]]:
    """Lists the images of both domains.

    Args:
        cfg (Config): A train config. Its source images are those of the
            train_dataloader; its target images those of the
            target_dataloader, or of the test_dataloader if it has none.
        name (str): Name of the config, for messages.
        source (str, optional): A folder of source images to use instead.
        target (str, optional): A folder of target images to use instead.

    Returns:
        dict[str, tuple[str, list[str]]]: For ``source`` and ``target``, the
        place of the images in words and their paths.

    Raises:
        UserError: If a domain has no images that can be read.
    """
    found = {}
    folders = dict(source=source, target=target)
    roles = ('source', 'target', 'test')
    reader = DataReader(cfg, [r for r in roles if not folders.get(r)])
    if not (source and target):
        enter_scope(cfg)
        reader.read()
    for domain, folder in folders.items():
        if folder:
            found[domain] = folder, images_below(folder)
            continue
        parts = reader.parts_of(domain)
        if domain == 'target' and not parts:
            parts = reader.parts_of('test')
        if not parts:
            why = ' '.join(text for _, text in reader.findings)
            raise UserError(
                f'{name} has no images of the {domain} that can be read'
                f'{f" ({why})" if why else ""}: give --{domain} FOLDER.'
            )
        where = ', '.join(p.ann_file or p.folder for p in parts)
        found[domain] = where, [path for p in parts for path in p.images]
    return found


def extract(
    model: nn.Module, paths: dict[str, list[str]], boxes: int
) -> dict[str, Features]:
    """Extracts the features of both domains.

    Args:
        model (nn.Module): The detector.
        paths (dict): Image files by domain.
        boxes (int): Maximum number of boxes of an image.
    """
    names = [(domain, path) for domain in paths for path in paths[domain]]
    features = (features_of(model, path, boxes) for _, path in names)
    found = list(progress(features, len(names), 'images'))
    number = len(paths['source'])
    return dict(source=gather(found[:number]), target=gather(found[number:]))


def distances(
    title: str, model: nn.Module, both: dict[str, Features], seed: int
) -> Measured:
    """Measures the distances of a detector's features of both domains."""
    source, target = both['source'], both['target']
    few = min(len(np.unique(f.box_images)) for f in both.values()) < 2
    return Measured(
        title,
        proxy_a_distance(
            source.images,
            target.images,
            np.arange(len(source.images)),
            np.arange(len(target.images)),
            seed,
        ),
        None
        if few
        else proxy_a_distance(
            source.boxes,
            target.boxes,
            source.box_images,
            target.box_images,
            seed,
        ),
        vector_head(model) is not None,
    )


def panels(
    measured: Measured, both: dict[str, Features], seed: int
) -> tuple[Panel, Panel | None]:
    """Makes a detector's panels of image vectors and of box vectors."""
    images = {domain: f.images for domain, f in both.items()}
    classes = {d: np.full(len(f.images), NO_CLASS) for d, f in both.items()}
    return (
        Panel(
            f'{measured.title}\nA-distance {measured.image}',
            embed(**images, seed=seed),
            classes,
        ),
        measured.box
        and Panel(
            f'A-distance {measured.box}',
            embed(both['source'].boxes, both['target'].boxes, seed),
            {domain: f.labels for domain, f in both.items()},
        ),
    )


def measure(
    detectors: Sequence[tuple[str, str]],
    out: str,
    num: int = 100,
    boxes: int = 5,
    seed: int = 0,
    titles: Sequence[str] | None = None,
    source: str | None = None,
    target: str | None = None,
    student: bool = False,
    trust_checkpoint: bool = False,
) -> Result:
    """Measures and draws features of both domains.

    Args:
        detectors (Sequence[tuple[str, str]]): Config and checkpoint of each
            detector. All see the images of the last config (see
            :func:`images_of`).
        out (str): Path of the picture, ``.png``. A ``.json`` of the same name
            is written beside it.
        num (int): Maximum number of images of a domain, chosen evenly.
        boxes (int): Maximum number of boxes of an image, those with the
            highest scores.
        seed (int): Seed of the cross-validation and of t-SNE.
        titles (Sequence[str], optional): Titles of the detectors. Defaults to
            the names of the checkpoints.
        source (str, optional): A folder of source images.
        target (str, optional): A folder of target images.
        student (bool): Whether to take the student of a MeanTeacher, not its
            teacher.
        trust_checkpoint (bool): Load checkpoints that may run code.

    Raises:
        UserError: If an argument, a detector or an image cannot be used.
    """
    if not out.endswith('.png'):
        raise UserError(f'--out {out}: the file must end in .png.')
    if titles and len(titles) != len(detectors):
        raise UserError(
            f'{len(titles)} --titles for {len(detectors)} detectors; give one '
            'each.'
        )
    numbers = str(Path(out).with_suffix('.json'))
    make_output_folder(out, '--out')
    make_output_folder(numbers, '--out')
    read = [
        Detector.read(config, checkpoint, trust_checkpoint)
        for config, checkpoint in detectors
    ]
    found = images_of(read[-1].config, read[-1].name, source, target)
    paths = {
        domain: choose_evenly(every, num)
        for domain, (_, every) in found.items()
    }
    for domain, some in paths.items():
        if len(some) < 2:
            raise UserError(
                f'{some[0]} is the only image of the {domain}: give more, as '
                'the classifier is tested on images that it was not trained '
                'on.'
            )
    notes = [
        f'{domain}: {len(paths[domain])} of {len(every)} images of {where}'
        for domain, (where, every) in found.items()
    ]
    titles = titles or [short(checkpoint) for _, checkpoint in detectors]
    results, columns, names = [], [], ()
    for detector, title in zip(read, titles):
        model = detector.open(student)
        both = extract(model, paths, boxes)
        results.append(distances(title, model, both, seed))
        columns.append(panels(results[-1], both, seed))
        names = max(names, model.dataset_meta['classes'], key=len)
    rows = zip(('images', f'boxes (top {boxes} an image)'), zip(*columns))
    save_figure(draw(list(rows), names), out)
    notes += caveats(results, paths)
    content = dict(
        images=paths,
        boxes=boxes,
        seed=seed,
        detectors=[
            dict(
                title=result.title,
                config=config,
                checkpoint=checkpoint,
                two_stages=result.two_stages,
                **{
                    level: distance and distance._asdict()
                    for level, distance in (
                        ('image', result.image),
                        ('box', result.box),
                    )
                },
            )
            for result, (config, checkpoint) in zip(results, detectors)
        ],
        reading=READING,
    )
    write_atomically(json.dumps(content, indent=1).encode(), numbers)
    return Result(results, notes, out, numbers)


def caveats(results: Sequence[Measured], paths: dict) -> list[str]:
    """Warnings about the numbers, a sentence each."""
    said = []
    fewest = min(map(len, paths.values()))
    if fewest < FEW:
        said.append(
            f'{fewest} images of a domain are few: differences within the ± '
            'may be chance, and a classifier with more images might tell '
            'the domains apart better.'
        )
    said += [
        f'{result.title} has no box head that reads a vector of each box: '
        'its boxes are means of the feature maps inside them.'
        for result in results
        if result.box and not result.two_stages
    ]
    return said

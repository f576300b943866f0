"""Measures detectors on the same images: a picture, and a file of numbers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.config import Config
from torch import nn

from da_faster.apis.config import need_output
from da_faster.apis.detectors import (
    images_below,
    load_detector,
    read_any_config,
)
from da_faster.apis.prediction import short
from da_faster.config_files import enter_scope
from da_faster.data_check import DataReader
from da_faster.errors import UserError
from da_faster.files import write_atomically
from da_faster.listing import spread
from da_faster.progress import progress
from da_faster.visualization.figures import save_figure

from .distance import Distance, proxy_a_distance
from .extraction import Features, features_of, gather, vector_head
from .picture import NO_CLASS, Panel, draw, embed

FEW = 50  # images of a domain below which the number is rough
READING = (
    'Proxy A-distance: 2 means that a linear classifier always tells the '
    'domains apart on images that it was not trained on, 0 that it can only '
    'guess. A smaller one says that the features are more alike, not that the '
    'detector has become better.'
)


class Measured(NamedTuple):
    """What was measured of a detector.

    Attributes:
        title: In the picture.
        image: Of the image vectors.
        box: Of the boxes' vectors; None where too few images have any.
        two_stages: Whether those are what a box head reads, or means of the
            feature maps.
    """

    title: str
    image: Distance
    box: Distance | None
    two_stages: bool

    def __str__(self) -> str:
        box = f'boxes {self.box}' if self.box else 'too few boxes'
        return f'{self.title}: images {self.image}, {box}'


class Result(NamedTuple):
    """What :func:`measure` found and wrote.

    Attributes:
        detectors: In the order given.
        notes: Which images, and what keeps the numbers from saying more.
        picture: Its path.
        numbers: Path of the json.
    """

    detectors: list[Measured]
    notes: list[str]
    picture: str
    numbers: str


def images_of(
    cfg: Config, name: str, source: str | None, target: str | None
) -> dict[str, tuple[str, list[str]]]:
    """Where the images of both domains are, and which.

    Args:
        cfg (Config): A train config: source images are those it trains on;
            target images those of its target_dataloader, or, where it has
            none, those it tests on.
        name (str): Of the config, for messages.
        source (str, optional): A folder of images instead.
        target (str, optional): A folder of images instead.

    Raises:
        UserError: If there are none.
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
    """Features of both domains."""
    names = [(domain, path) for domain in paths for path in paths[domain]]
    looked = (features_of(model, path, boxes) for _, path in names)
    found = list(progress(looked, len(names), 'images'))
    number = len(paths['source'])
    return dict(source=gather(found[:number]), target=gather(found[number:]))


def distances(
    title: str, model: nn.Module, both: dict[str, Features], seed: int
) -> Measured:
    """Measures a detector's features."""
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
    """The panels of a detector: image level, box level."""
    images = {domain: f.images for domain, f in both.items()}
    kinds = {d: np.full(len(f.images), NO_CLASS) for d, f in both.items()}
    return (
        Panel(
            f'{measured.title}\nA-distance {measured.image}',
            embed(**images, seed=seed),
            kinds,
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
    """Measures and draws features, as ``tools/analysis/features.py``.

    Args:
        detectors (Sequence[tuple[str, str]]): Config and checkpoint of each;
            the last config says which images (see :func:`images_of`).
        out (str): The picture, ``.png``; beside it goes a ``.json``.
        num (int): Images of a domain at most, taken evenly over it.
        boxes (int): Boxes of an image at most, those with the highest scores.
        seed (int): Of the cross-validation and of t-SNE.
        titles (Sequence[str], optional): Of the detectors.
        source (str, optional): A folder of source images.
        target (str, optional): A folder of target images.
        student (bool): Of a MeanTeacher, the student.
        trust_checkpoint (bool): Load checkpoints that may run code.

    Raises:
        UserError: If something given cannot be used.
    """
    if not out.endswith('.png'):
        raise UserError(f'--out {out}: the file must end in .png.')
    if titles and len(titles) != len(detectors):
        raise UserError(
            f'{len(titles)} --titles for {len(detectors)} detectors; give one '
            'each.'
        )
    numbers = str(Path(out).with_suffix('.json'))
    need_output(out, '--out')
    need_output(numbers, '--out')
    cfgs = [read_any_config(config) for config, _ in detectors]
    found = images_of(cfgs[-1], detectors[-1][0], source, target)
    paths = {
        domain: spread(every, num) for domain, (_, every) in found.items()
    }
    for domain, some in paths.items():
        if len(some) < 2:
            raise UserError(
                f'{some[0]} is the only image of the {domain}: give more, as '
                'the classifier is tried on images that it has not seen.'
            )
    notes = [
        f'{domain}: {len(paths[domain])} of {len(every)} images of {where}'
        for domain, (where, every) in found.items()
    ]
    titles = titles or [short(checkpoint) for _, checkpoint in detectors]
    results, columns, names = [], [], ()
    for cfg, (_, checkpoint), title in zip(cfgs, detectors, titles):
        model = load_detector(cfg, checkpoint, trust_checkpoint, student)
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
    """What keeps the numbers from saying more, a sentence each."""
    said = []
    fewest = min(map(len, paths.values()))
    if fewest < FEW:
        said.append(
            f'{fewest} images of a domain are few: differences within the ± '
            'may be chance, and a classifier with more images might tell '
            'them apart better.'
        )
    said += [
        f'{result.title} has no box head that reads a vector of each box: '
        'its boxes are means of the feature maps inside them.'
        for result in results
        if result.box and not result.two_stages
    ]
    return said

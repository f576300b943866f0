"""What an adaptation takes from the config of a detector."""

from collections.abc import Iterator
from typing import NamedTuple

from mmdet.registry import DATASETS
from mmengine.config import Config

from da_faster.apis.score_kinds import score_bounds, scores_are_sigmoids
from da_faster.data_check import leaves
from da_faster.errors import UserError


class Derived(NamedTuple):
    """What an adaptation takes from a config.

    Attributes:
        classes (tuple[str]): In the detector's order.
        sigmoid (bool): Whether scores are sigmoids, or a softmax.
        geometry (list[dict]): Transforms that load an image and bring it to
            the size of a test, without labels.
        flip (dict, optional): The training's RandomFlip.
        lr (float): Learning rate.
        batch_size (int): Images an iteration.
    """

    classes: tuple
    sigmoid: bool
    geometry: list
    flip: dict | None
    lr: float
    batch_size: int

    def describe(self) -> list[str]:
        """A line for each."""
        scores = 'sigmoids' if self.sigmoid else 'a softmax'
        threshold, ignore = self.scores
        names = [step['type'] for step in self.geometry]
        flip = [self.flip['type']] if self.flip else []
        steps = ', '.join(names + flip)
        return [
            f'classes: {", ".join(self.classes)}',
            f'scores: {scores}; labels from {threshold}, unsure from {ignore}',
            f'target: {steps}; the student sees other colours and blur',
            f'learning rate {self.lr:.3g}, {self.batch_size} an iteration',
        ]

    @property
    def scores(self) -> tuple[float, float]:
        """Threshold of a label, and lowest score that is ignored."""
        return score_bounds(self.sigmoid)


def derive(cfg: Config, name: str = 'the config') -> Derived:
    """Reads a detector's config.

    The learning rate is a tenth of the config's. SGD's is scaled with the
    number of images an iteration (``auto_scale_lr.base_batch_size``); Adam's
    is not, as its steps hardly depend on it.

    Args:
        cfg (Config): Of MMDetection, to train and test with.
        name (str): Of the config, for messages.

    Raises:
        UserError: If it has no test pipeline, no classes or no optimizer.
    """
    test = test_dataset(cfg, name)
    pipeline = flat(test.get('pipeline') or ())
    if not any(step['type'].startswith('Load') for step in pipeline):
        raise UserError(
            f'{name} has no test pipeline that loads an image: give '
            'test_dataloader.dataset a pipeline, as MMDetection has it.'
        )
    if any('TestTimeAug' in step['type'] for step in pipeline):
        raise UserError(
            f'{name} tests with test-time augmentation: give '
            'test_dataloader.dataset its plain pipeline.'
        )
    geometry = [
        dict(step)
        for step in pipeline
        if step['type'].split('.')[-1]
        not in ('LoadAnnotations', 'PackDetInputs')
    ]
    batch_size = min(train_batch(cfg), 2)
    return Derived(
        classes=find_classes(cfg, name),
        sigmoid=scores_are_sigmoids(cfg.model),
        geometry=geometry,
        flip=find_flip(cfg),
        lr=learning_rate(cfg, batch_size, name),
        batch_size=batch_size,
    )


def flat(steps) -> list[dict]:
    """The steps of a pipeline, those inside a list of choices left out."""
    return [step for step in steps if isinstance(step, dict)]


def test_dataset(cfg: Config, name: str) -> dict:
    """The config of the test dataset, out of its wrappers."""
    for key in ('test_dataloader', 'val_dataloader'):
        loader = cfg.get(key) or {}
        for dataset in leaves(loader.get('dataset') or {}):
            return dataset
    raise UserError(
        f'{name} has no test_dataloader, whose pipeline says how images are '
        'brought to size: complete it.'
    )


def find_classes(cfg: Config, name: str) -> tuple:
    """The names of the classes, in the detector's order."""
    loaders = [
        cfg.get(key) or {} for key in ('train_dataloader', 'test_dataloader')
    ]
    for loader in loaders:
        for dataset in leaves(loader.get('dataset') or {}):
            classes = (dataset.get('metainfo') or {}).get('classes')
            cls = DATASETS.get(dataset['type'])
            classes = classes or getattr(cls, 'METAINFO', {}).get('classes')
            if classes:
                return tuple(classes)
    raise UserError(
        f'{name} names no classes: give its datasets '
        'metainfo=dict(classes=(...)).'
    )


def find_flip(cfg: Config) -> dict | None:
    """The RandomFlip of the training pipeline."""
    loader = cfg.get('train_dataloader') or {}
    dataset = loader.get('dataset') or {}
    while dataset:
        for step in steps_of(dataset.get('pipeline') or ()):
            if step['type'].split('.')[-1] == 'RandomFlip':
                return dict(step)
        dataset = dataset.get('dataset') or {}
    return None


def steps_of(steps) -> Iterator[dict]:
    """All steps of a pipeline, those inside a choice too."""
    for step in steps:
        if isinstance(step, (list, tuple)):
            yield from steps_of(step)
        elif isinstance(step, dict) and 'type' in step:
            yield step
            yield from steps_of(step.get('transforms') or ())


def train_batch(cfg: Config) -> int:
    """Images an iteration of the config's own training."""
    return (cfg.get('train_dataloader') or {}).get('batch_size') or 2


def learning_rate(cfg: Config, batch_size: int, name: str) -> float:
    """A tenth of the config's; see :func:`derive`."""
    optimizer = (cfg.get('optim_wrapper') or {}).get('optimizer') or {}
    if not optimizer.get('lr'):
        raise UserError(
            f'{name} has no optim_wrapper.optimizer.lr, from which the '
            'learning rate follows: give optim_wrapper.'
        )
    lr = optimizer['lr'] / 10
    base = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    if str(optimizer.get('type')) == 'SGD':
        lr *= batch_size / (base or train_batch(cfg))
    return lr

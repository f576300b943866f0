"""A detector by its config and checkpoint: read once, then asked."""

import os.path as osp
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config
from torch import nn

from da_faster.config_files import enter_scope
from da_faster.config_tree import (
    box_head,
    dataloaders,
    detector_of,
    has_masks,
    has_teacher,
    head_classes,
    steps_of,
    unwrapped_datasets,
)
from da_faster.datasets.class_names import dataset_classes
from da_faster.engine.checkpoints.loading import allow_list
from da_faster.engine.checkpoints.reading import read_checkpoint
from da_faster.engine.checkpoints.writing import check_free
from da_faster.errors import UserError
from da_faster.files import file_sha256

from .download import download
from .inference import check_detections
from .reading import normalize, read_any_config
from .score_kinds import score_bounds, scores_are_sigmoids
from .stock import StockDetector, build_model, stock_state
from .stock_config import StockConfig, to_stock_config


class Detector:
    """Any detector of MMDetection.

    The config is brought into one form when the detector is made. All else is
    computed when it is first asked for, and kept. Nobody changes the config.

    Args:
        config (Config): A config to train and to test the detector with.
        checkpoint (str, optional): A file or a URL.
        name (str): The name of the config, for messages.
        trust (bool): Load a checkpoint that may run code.

    Attributes:
        config (Config): The config in the form of ``reading.normalize``.
    """

    def __init__(
        self,
        config: Config,
        checkpoint: str | None = None,
        name: str = 'the config',
        trust: bool = False,
    ) -> None:
        self.config = normalize(config)
        self.checkpoint = checkpoint and str(checkpoint)
        self.name = name
        self.trust = trust

    @classmethod
    def read(
        cls,
        config: str,
        checkpoint: str | None = None,
        trust: bool = False,
        options: Mapping | None = None,
    ) -> 'Detector':
        """Reads a config file.

        Args:
            config (str): A file, ``da_faster::NAME`` or ``mmdet::NAME``.
            checkpoint (str, optional): A file or a URL. It is read later.
            trust (bool): Load a checkpoint that may run code.
            options (dict, optional): Overrides of the config by dotted key.

        Raises:
            UserError: If there is no such config.
        """
        cfg = read_any_config(config, options)
        return cls(cfg, checkpoint, config, trust)

    # The classes and their scores

    @cached_property
    def class_names(self) -> tuple | None:
        """Names of the classes in the detector's order; None: unknown.

        Raises:
            UserError: If the names are one text.
        """
        enter_scope(self.config)
        for key in ('train_dataloader', 'test_dataloader'):
            for dataset in unwrapped_datasets(self.config.get(key)):
                if classes := dataset_classes(dataset):
                    return classes
        return None

    @cached_property
    def classes(self) -> tuple:
        """Names of the classes in the detector's order, one for each output.

        Raises:
            UserError: If they are unknown, or do not suit the heads.
        """
        try:
            classes = self.class_names
        except UserError as error:
            raise UserError(f'{self.name}: {error}') from error
        if not classes:
            raise UserError(
                f'{self.name} names no classes: give its datasets '
                'metainfo=dict(classes=(...)).'
            )
        for path, number in head_classes(self.config.model):
            if number != len(classes):
                raise UserError(
                    f'{self.name}: {path}={number}, but its datasets have '
                    f'{len(classes)} classes ({" ".join(classes)}): give them '
                    'metainfo=dict(classes=(...)).'
                )
        return classes

    @cached_property
    def has_sigmoid_scores(self) -> bool:
        """Whether the scores are sigmoids, or a softmax."""
        return scores_are_sigmoids(self.config.model)

    @property
    def score_bounds(self) -> tuple[float, float]:
        """Lowest scores of a confident and of an uncertain detection."""
        return score_bounds(self.has_sigmoid_scores)

    @property
    def has_masks(self) -> bool:
        """Whether the detector learns from masks."""
        return has_masks(detector_of(self.config.model))

    def check_box_head(self) -> None:
        """Raises a UserError if the detector finds no boxes."""
        model = self.config.get('model') or {}
        if not box_head(detector_of(model)):
            raise UserError(
                f'{self.name} has no bbox_head in its model '
                f'({detector_of(model).get("type", "none")}): it takes a '
                'detector that finds boxes.'
            )

    # The images of its training and its test

    @cached_property
    def test_dataset(self) -> dict:
        """The config of the test dataset, out of its wrappers.

        Raises:
            UserError: If there is no test dataset.
        """
        for dataset in unwrapped_datasets(self.config.get('test_dataloader')):
            return dataset
        raise UserError(
            f'{self.name} has no test_dataloader, whose pipeline says how '
            'images are brought to size: complete it.'
        )

    @property
    def test_steps(self) -> list[dict]:
        """The transforms of the test, except lists of choices."""
        steps = self.test_dataset.get('pipeline') or ()
        return [step for step in steps if isinstance(step, dict)]

    def check_test_pipeline(self) -> None:
        """Raises a UserError if the test does not simply show an image."""
        steps = self.test_steps
        if not any(step['type'].startswith('Load') for step in steps):
            raise UserError(
                f'{self.name} has no test pipeline that loads an image: give '
                'test_dataloader.dataset a pipeline, as MMDetection has it.'
            )
        if any('TestTimeAug' in step['type'] for step in steps):
            raise UserError(
                f'{self.name} tests with test-time augmentation: give '
                'test_dataloader.dataset its plain pipeline.'
            )
        shifting = [s['type'] for s in steps if 'CenterCropPad' in s['type']]
        if shifting:
            raise UserError(
                f'{self.name} tests with {shifting[0]}, which shifts an image '
                'without its boxes, so CenterNet and CornerNet cannot be '
                'adapted: take another detector, or another test pipeline.'
            )
        if any(step.get('color_type') == 'grayscale' for step in steps):
            raise UserError(
                f'{self.name} loads images of one channel: adaptation changes '
                "colours, so it takes a detector of color_type='color'."
            )

    @property
    def geometry(self) -> list[dict]:
        """The transforms that load an image and bring it to test size."""
        others = 'LoadAnnotations', 'PackDetInputs'
        return [
            dict(step)
            for step in self.test_steps
            if step['type'] not in others
        ]

    @cached_property
    def training_steps(self) -> list[dict]:
        """All transforms of the training, those of outer datasets first."""
        return list(steps_of(self.config.get('train_dataloader')))

    @property
    def flip(self) -> dict | None:
        """The RandomFlip of the training, if there is one."""
        for step in self.training_steps:
            if step['type'] == 'RandomFlip':
                return dict(step)
        return None

    @property
    def image_caches(self) -> list[str]:
        """Types of the transforms that keep images of earlier samples.

        What they make of a sample depends on the samples that the process has
        loaded before.
        """
        types = (step['type'] for step in self.training_steps)
        return [kind for kind in types if kind.startswith('Cached')]

    @property
    def source(self) -> dict | None:
        """The dataloader of labelled training images, of stock classes."""
        if 'source' not in dataloaders(self.config):
            return None
        return self.stock.train_dataloader

    @property
    def train_batch(self) -> int:
        """Images in a batch of the detector's own training."""
        loader = self.config.get('train_dataloader') or {}
        return loader.get('batch_size') or 2

    def check_learning_rate(self) -> None:
        """Raises a UserError if the config has no learning rate."""
        wrapper = self.config.get('optim_wrapper') or {}
        if not (wrapper.get('optimizer') or {}).get('lr'):
            raise UserError(
                f'{self.name} has no optim_wrapper.optimizer.lr, from which '
                'the learning rate follows: give optim_wrapper.'
            )

    # The form that stock MMDetection loads

    @cached_property
    def stock_form(self) -> StockConfig:
        """The config with classes of OpenMMLab alone, and what changed.

        Raises:
            UserError: If a part of the model has no counterpart there.
        """
        return to_stock_config(self.config)

    @property
    def stock(self) -> Config:
        """The config with classes of OpenMMLab alone."""
        return self.stock_form.cfg

    @cached_property
    def file(self) -> str:
        """The file of the checkpoint; a URL is downloaded.

        Raises:
            UserError: If the download fails.
        """
        if '://' in self.checkpoint:
            return download(self.checkpoint)
        return self.checkpoint

    @cached_property
    def sha256(self) -> str | None:
        """The hash of the checkpoint; None for a URL."""
        if osp.isfile(self.checkpoint):
            return file_sha256(self.checkpoint)
        return None

    def as_stock(self, student: bool = False) -> StockDetector:
        """Loads the weights, and gives the detector its stock form.

        Averaged weights are taken where there are any, as tools/test.py does:
        EMAHook saves those as ``state_dict``. Of a MeanTeacher the teacher is
        taken; a config without a teacher fits such a checkpoint, too.

        Args:
            student (bool): Take the student of a MeanTeacher.

        Raises:
            UserError: If the checkpoint cannot be read, or does not fit.
        """
        if student and not has_teacher(self.config.model):
            raise UserError(
                f'{self.name} has no student, as it is of no mean teacher: '
                'leave --student out.'
            )
        model = build_model(self.stock, self.name)
        content = read_checkpoint(self.file, self.trust, allow_list())
        branch = 'student.' if student else 'teacher.'
        state = stock_state(
            content,
            model.state_dict(),
            self.stock_form.dropped_parts,
            self.file,
            branch,
        )
        meta = dict(content.get('meta') or {})
        # Some say CLASSES, there or as a part of meta itself. Without names
        # MMDetection would take COCO's.
        named = [str(key).lower() for key in meta.get('dataset_meta') or meta]
        if 'classes' not in named and self.class_names:
            meta['dataset_meta'] = dict(classes=self.class_names)
        changes = list(self.stock_form.changes)
        names = content.get('state_dict', content)
        if any(name.startswith(branch) for name in names):
            changes.insert(0, f'the {branch[:-1]} alone')
        return StockDetector(self.name, self.stock, state, meta, changes)

    def open(self, student: bool = False) -> nn.Module:
        """Opens the detector to detect, on the accelerator if there is one.

        Args:
            student (bool): Open the student of a MeanTeacher.

        Raises:
            UserError: If the checkpoint cannot be read, or does not fit.
        """
        return self.as_stock(student).open()

    def try_out(self, model: nn.Module, image: str) -> None:
        """Tries the detector on one image, before there is more work.

        Args:
            model (nn.Module): This detector, opened.
            image (str): A file.

        Raises:
            UserError: If the weights are of other classes than the config, or
                the detector finds no boxes.
        """
        trained = model.dataset_meta['classes']
        trained = (trained,) if isinstance(trained, str) else tuple(trained)
        if trained != self.classes:
            raise UserError(
                f'{self.checkpoint} was trained on the classes '
                f'{" ".join(trained)}, {self.name} has '
                f'{" ".join(self.classes)}: give the config of its training.'
            )
        check_detections(model, image, self.name)


class Written(NamedTuple):
    """The files that :func:`convert_to_stock` wrote.

    Attributes:
        checkpoint: The file of the weights.
        config: The config file.
        tensors: The number of tensors in the checkpoint.
        changes: What was replaced or left out, in words.
    """

    checkpoint: Path
    config: Path
    tensors: int
    changes: list[str]


def convert_to_stock(
    config: str | Path,
    checkpoint: str | Path,
    out: str | Path,
    cfg_options: Mapping | None = None,
    force: bool = False,
    trust_checkpoint: bool = False,
    student: bool = False,
) -> Written:
    """Writes the stock config and weights of an adapted detector.

    Args:
        config: The config of the adapted detector.
        checkpoint: The checkpoint of the adapted detector.
        out: ``OUT.pth``, beside which ``OUT.py`` is written, or a folder,
            where both get the name of the config.
        cfg_options: Settings of the config to override, by dotted name.
        force: Replace an earlier result.
        trust_checkpoint: Unpickle the checkpoint, which can run any code in
            it.
        student: Take the student of a MeanTeacher.

    Raises:
        UserError: If an input is missing or does not fit, or if a result
            exists or cannot be written. Nothing is written then.
    """
    out = Path(out)
    if out.suffix != '.pth':
        out = out / f'{Path(config).stem}.pth'
    files = [out, out.with_suffix('.py')]
    check_free(files, force)
    detector = Detector.read(
        str(config), str(checkpoint), trust_checkpoint, cfg_options
    )
    stock = detector.as_stock(student)
    stock.write(out, force)
    return Written(*files, len(stock.state), stock.changes)

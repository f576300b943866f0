"""The settings of an adaptation."""

from dataclasses import dataclass

from mmengine.config import Config

from da_faster.errors import UserError


@dataclass
class Settings:
    """The choices of a user, checked. ``tools/adapt.py`` has an option each.

    Without the source, teacher and student see target images alone. With the
    source, the student learns from the config's own training data, too, half
    of them in the colours of target images. The teacher's labels then weigh a
    quarter.

    Args:
        target (str): A folder of images.
        source (bool): Train on the config's own training data, too.
        iters (int): Iterations.
        test_labels (str, optional): A COCO json of labelled target images, to
            measure on.
        test_images (str, optional): The folder that the file names in
            ``test_labels`` are relative to. Default: ``target``.
        target_labels (str, optional): A COCO json of a few labelled target
            images, to train on. File names are relative to ``target``.
        share (float, optional): With ``source`` and ``target_labels``: the
            fraction of labelled target images in the labelled images of a
            batch, 0.05 to 0.95. The batch grows until the fraction fits.
            Default: 0.5.
        blend (float, optional): Weight of the teacher in the exported mean of
            original and teacher, 0 to 1. The training does not use it.
            Default: 0.25; 0.5 with ``source``, 1 with ``target_labels``.

    Raises:
        UserError: If a value is out of range, or means nothing without
            another one.
    """

    target: str
    source: bool = False
    iters: int = 600
    test_labels: str | None = None
    test_images: str | None = None
    target_labels: str | None = None
    share: float | None = None
    blend: float | None = None

    def __post_init__(self) -> None:
        for key in ('target', 'test_labels', 'test_images', 'target_labels'):
            path = getattr(self, key)  # the config holds paths as text
            setattr(self, key, path and str(path))
        if self.iters < 1 or int(self.iters) != self.iters:
            raise UserError(
                f'iters must be a whole number from 1, got {self.iters}.'
            )
        self.iters = int(self.iters)
        if self.share is None:
            self.share = 0.5
        elif not (self.source and self.target_labels):
            raise UserError(
                'share is the fraction of labelled target images beside the '
                'source: give source and target_labels, too, or leave it out.'
            )
        if not 0.05 <= self.share <= 0.95:
            raise UserError(
                f'share must lie between 0.05 and 0.95, got {self.share}.'
            )
        if self.test_images and not self.test_labels:
            raise UserError(
                f'test_images={self.test_images} is measured on with '
                'test_labels: give test_labels, too.'
            )
        if self.blend is None:
            # The more labels say what is right, the more of the teacher.
            if self.target_labels:
                self.blend = 1.0
            else:
                self.blend = 0.5 if self.source else 0.25

    @property
    def labelled(self) -> bool:
        """Whether the adaptation learns from any labelled image."""
        return self.source or bool(self.target_labels)


def checked_blend(config: Config, file: object) -> float:
    """Returns the blend of an adaptation's config; 1 where it has none.

    Args:
        config (Config): The config of an adaptation, perhaps edited.
        file (object): The file of the config, for messages.

    Raises:
        UserError: If the blend is not a number between 0 and 1.
    """
    found = config.get('adaptation') or {}
    blend = found.get('blend', 1) if isinstance(found, dict) else found
    if not isinstance(blend, (int, float)) or not 0 <= blend <= 1:
        raise UserError(
            f'{file}: blend must lie between 0 and 1, got {blend}.'
        )
    return blend

"""The files of an adaptation."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from da_faster.apis.output_paths import make_folder
from da_faster.engine.checkpoints.files import last_checkpoint
from da_faster.errors import UserError


class WorkDir:
    """The work dir of an adaptation.

    Attributes:
        folder (Path): The work dir itself.
        config (Path): ``adapt.py``, the config that is trained.
        start (Path): ``start.pth``, the weights of the original detector; its
            stock config ``start.py`` lies beside.
        adapted (Path): ``adapted.pth``, the result; ``adapted.py`` beside.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.config = self.folder / 'adapt.py'
        self.start = self.folder / 'start.pth'
        self.adapted = self.folder / 'adapted.pth'

    @property
    def last_checkpoint(self) -> str | None:
        """The newest checkpoint of the training, if there is one."""
        return last_checkpoint(str(self.folder))

    def check_begun(self) -> None:
        """Raises a UserError if ``adapt.py`` is empty.

        ``reserved`` makes it so. A command that is killed there leaves it.
        """
        if self.config.exists() and not self.config.stat().st_size:
            raise UserError(
                f'{self.folder} has an adaptation already, whose '
                f'{self.config.name} is empty: another command begins there, '
                'or was interrupted at its beginning. If none is running, '
                f'remove {self.config.name}, {self.start.name} and '
                f'{self.start.with_suffix(".py").name}; or give another '
                '--work-dir.'
            )

    def check_free(self) -> None:
        """Raises a UserError if a file of the folder would be overwritten."""
        self.check_begun()
        if self.config.exists():
            raise UserError(
                f'{self.folder} has an adaptation already: give another '
                '--work-dir, or resume it with --resume.'
            )
        for weights in (self.start, self.adapted):
            for path in (weights.with_suffix('.py'), weights):
                if path.exists():
                    raise UserError(
                        f'{path} would be overwritten: give another '
                        '--work-dir.'
                    )
        folder = self.folder
        trained = [*folder.glob('iter_*.pth'), *folder.glob('epoch_*.pth')]
        if trained or self.last_checkpoint:
            raise UserError(
                f'{folder} has checkpoints of another training: give another '
                '--work-dir.'
            )

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Makes an empty ``adapt.py``, so that no other command makes one.

        After an error the file is gone.

        Raises:
            UserError: If another command was faster.
        """
        make_folder(str(self.folder), '--work-dir')
        try:
            self.config.touch(exist_ok=False)
        except FileExistsError:
            self.check_free()
        try:
            yield
        except BaseException:
            self.clear()
            raise

    def clear(self) -> None:
        """Removes the config, and the original detector."""
        start_config = self.start.with_suffix('.py')
        for path in (self.config, self.start, start_config):
            path.unlink(missing_ok=True)

    @contextmanager
    def cleared_without_checkpoint(self) -> Iterator[None]:
        """Clears the folder if a training fails before its first checkpoint.

        The user can then give the command again, with other options. No
        training is lost.
        """
        try:
            yield
        except Exception:
            if not self.last_checkpoint:
                self.clear()
            raise

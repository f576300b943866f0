"""The Runner of all trainings and tests."""

import mmengine.runner


class Runner(mmengine.runner.Runner):
    """MMEngine's Runner, for a config with a file and for one without.

    The config of a file is copied into the work dir, as MMEngine does. A
    config without a file is not: MMEngine would write it to ``TIMESTAMP.py``.
    """

    def dump_config(self) -> None:
        if self.cfg.filename is not None:
            super().dump_config()

"""Adds the folder `.mim` to the wheel; all else is in pyproject.toml.

MMEngine and MIM look there for configs and tools of an installed project. An
editable install has no `.mim`: configs and tools are read in the checkout.
Links to them would make MIM find every config twice, which it refuses.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
CARRIED = ['configs', 'tools', 'model-index.yml']
LEFT_OUT = shutil.ignore_patterns('__pycache__', '*.py[cod]', '.*')

# onedl-mim 0.5.1 sorts the installed files and takes the first folder for the
# package. That would be `da_faster-0.1.0.dist-info`, so a second copy of
# `.mim` goes to a folder that comes before.
FOR_MIM = '_da_faster_mim'


def copy_mim(package: Path) -> None:
    mim = package / '.mim'
    mim.mkdir(parents=True)
    for name in CARRIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, mim / name, ignore=LEFT_OUT)
        else:
            shutil.copy2(ROOT / name, mim)


class BuildPy(build_py):
    def run(self):
        if self.editable_mode:
            return super().run()
        folders = [
            Path(self.build_lib, name) for name in ('da_faster', FOR_MIM)
        ]
        # An earlier build may have left files that the project removed.
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        super().run()
        for folder in folders:
            copy_mim(folder)
        (folders[1] / 'README').write_text(
            'A copy of da_faster/.mim, where onedl-mim looks for it.\n'
        )


setup(cmdclass={'build_py': BuildPy})

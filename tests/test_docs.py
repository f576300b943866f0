"""The docs: the site builds, and the commands on the pages are right.

Options are compared with the command's own parser. test_get_started.py runs
the commands of the first page.
"""

import re
import runpy
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from unittest import mock

import pytest

from da_faster.config_files import read_config
from da_faster.errors import UserError

from .pages import PAGES, ROOT, SCRIPTS, commands

OTHERS = {
    '[', 'cd', 'exit', 'export', 'git', 'pip', 'pre-commit', 'sha256sum',
    'source', 'tensorboard',
}  # fmt: skip


class Parsed(Exception):
    """Ends a command after it has read its options."""


def options(script: Path, argv: list[str]) -> dict:
    """The options as the command's own parser reads them."""
    parse = ArgumentParser.parse_args

    def stop(self, *args, **kwargs):
        raise Parsed(vars(parse(self, *args, **kwargs)))

    with (
        mock.patch.object(ArgumentParser, 'parse_args', stop),
        mock.patch.object(sys, 'argv', [str(script), *argv]),
    ):
        try:
            runpy.run_path(str(script), run_name='__main__')
        except Parsed as parsed:
            return parsed.args[0]
        except SystemExit as error:
            raise AssertionError(f'{script.name} refuses {argv}') from error
    raise AssertionError(f'{script} reads no options')


def check_python(script: Path, argv: list[str]) -> None:
    assert script.is_file(), f'{script.relative_to(ROOT)} does not exist'
    if not re.search('ArgumentParser|da_faster_options', script.read_text()):
        return
    if argv and argv[-1] == '--cfg-options':  # the text continues
        argv = argv[:-1]
    known = options(script, argv)
    config, changed = known.get('config'), known.get('cfg_options')
    if changed and str(config).startswith('configs/'):
        try:
            read_config(str(ROOT / config), changed)
        except UserError as error:
            raise AssertionError(error.sentence) from error


def check(words: list[str]) -> None:
    """Raises an AssertionError if a command of a page cannot work."""
    program, *argv = words
    for word in words:
        assert not re.search(r'\$\w', word), f'{word} is set nowhere'
        if re.fullmatch(r'configs/[\w/]+\.py', word):
            assert (ROOT / word).is_file(), f'{word} does not exist'
    if program == 'python':
        check_python(ROOT / argv[0], argv[1:])
    elif program.endswith('.py'):
        check_python(SCRIPTS.get(program, ROOT / program), argv)
    elif program.endswith('.sh'):
        assert (ROOT / program).is_file(), f'{program} does not exist'
        config = [w for w in argv if w.startswith('configs/') or w == 'CONFIG']
        assert len(config) == 1, f'{program} needs a config'
    elif program == 'make':
        known = re.findall(r'^(\w+):', (ROOT / 'Makefile').read_text(), re.M)
        unknown = [w for w in argv if '=' not in w and w not in known]
        assert not unknown, f'make has no {unknown}'
    elif program == 'mim' and argv[0] != 'install':
        assert argv[:2] in (['train', 'da_faster'], ['test', 'da_faster'])
        assert list(ROOT.glob(f'configs/**/{argv[2]}')), f'no {argv[2]}'
    else:
        assert program in OTHERS | {'mim'}, f'what is {program}?'


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.name)
def test_commands_are_right(path):
    for words in commands(path.read_text()):
        check(words)


def test_commands_are_found():
    """Commands are found in text, on several lines, and with variables."""
    text = """
See `A=1 python tools/test.py CONFIG X --out
a.pkl`, not `tools/test.py`.

```sh
FULL="--images 2"  # twice
until python benchmarks/train_step.py CONFIG [$FULL] \\
    --repeats N; do make env && cd x; done
```
"""
    assert commands(text) == [
        ['python', 'benchmarks/train_step.py', 'CONFIG', '--images', '2',
         '--repeats', '1'],
        ['make', 'env'],
        ['cd', 'x'],
        ['python', 'tools/test.py', 'CONFIG', 'X', '--out', 'a.pkl'],
    ]  # fmt: skip
    found = [words for path in PAGES for words in commands(path.read_text())]
    scripts = {words[1] for words in found if words[0] == 'python'}
    assert {'tools/train.py', 'tools/adapt.py', 'tools/predict.py'} < scripts
    assert len(found) > 80


@pytest.mark.parametrize(
    'line, fault',
    [
        ('python tools/trian.py CONFIG', 'tools/trian.py does not exist'),
        ('python tools/train.py configs/x.py', 'configs/x.py does not exist'),
        ('python tools/train.py CONFIG --reusme auto', 'train.py refuses'),
        ('python tools/adapt.py CONFIG CHECKPOINT', 'adapt.py refuses'),
        ('python tools/train.py CONFIG --work-dir $X', 'X is set nowhere'),
        (
            'tools/train.py configs/source_only_demo.py --cfg-options x=1',
            'x has no effect',
        ),
        ('tools/dist_train.sh configs/x.py 4', 'configs/x.py does not exist'),
        ('make dmeo', 'make has no'),
        ('mim train da_faster no.py', 'no no.py'),
        ('phyton tools/train.py CONFIG', 'what is phyton?'),
    ],
)
def test_a_wrong_command_is_seen(line, fault):
    (words,) = commands(f'```sh\n{line}\n```')
    with pytest.raises(AssertionError, match=re.escape(fault)):
        check(words)


def test_readme_repeats_figures_of_the_results():
    """Figures that stand in two places are the same."""
    results = (ROOT / 'docs/results.md').read_text()
    table = re.search(
        r'^\| pair .*?\n\n', (ROOT / 'README.md').read_text(), re.S | re.M
    ).group()
    figures = re.findall(r'\| (\d[^|]*?) (?=\|)', table)
    assert len(figures) >= 8
    assert not [f for f in figures if f'| {f} |' not in results]


BUILD = """
import sys
from mkdocs.__main__ import cli
try:
    cli(['build', '--config-file', 'mkdocs.yml', '--site-dir', sys.argv[1]])
except SystemExit as end:
    assert not end.code, end.code
assert 'torch' not in sys.modules, 'the API page imports the code'
"""


def test_the_site_builds(tmp_path):
    """The build is strict: a broken link or anchor is an error."""
    done = subprocess.run(
        [sys.executable, '-c', BUILD, tmp_path / 'site'],
        cwd=ROOT,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / 'site/api/models.html').read_text()
    for name in ('MeanTeacher', 'DAFasterRCNN', 'PseudoLabels'):
        assert f'id="da_faster.models.{name}"' in page
    # Parameters became a list: the style of the docstrings is understood.
    assert 'agreement_interval' in page and 'Args:' not in page

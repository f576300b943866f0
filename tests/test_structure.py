"""The house as CONTRIBUTING.md draws it: who may import whom."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import mmengine.runner
import pytest

import da_faster_options

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'projects/da_faster'
COMMANDS = sorted((*ROOT.glob('tools/**/*.py'), *ROOT.glob('benchmarks/*.py')))
PROGRAMS = [path for path in COMMANDS if 'def main(' in path.read_text()]
# What the benchmarks of speed share.
SPEED = sorted(ROOT.glob('benchmarks/speed/*.py'))

# A room imports those of the lines above it, never a neighbour in its line.
LAYERS = {
    'da_faster': [
        [
            'config_tree',
            'errors',
            'files',
            'image_files',
            'listing',
            'matching',
            'package_configs',
            'progress',
        ],
        ['coco_files', 'config_files'],
        ['models', 'datasets', 'engine'],
        [
            'data_check',
            'data_conversion',
            'checkpoint_conversion',
            'detectors',
        ],
        ['apis', 'visualization', 'benchmarking'],
        ['adaptation', 'features', 'reporting'],
    ],
    'da_faster.engine': [
        ['runner_internals'],
        [
            'checkpoints',
            'loops',
            'launch',
            'student_decay',
            'training_line',
            'work_dir_lock',
        ],
        ['hooks'],
    ],
    'da_faster.models': [
        ['adversarial', 'self_training', 'data_preprocessor', 'vgg'],
    ],
    'da_faster.datasets': [
        ['class_names', 'joined_datasets', 'target_dataset', 'foggy_city'],
        ['transforms'],
    ],
}


def imports(text: str, module: str, is_package: bool) -> set:
    """Full names of all imports of a file, also inside functions.

    ``from a import b`` gives ``a.b``, whether that is a module or not.
    """
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = module.split('.')
            levels = node.level - is_package
            base = parts[: len(parts) - levels] if node.level else []
            base += [node.module] if node.module else []
            found |= {'.'.join([*base, alias.name]) for alias in node.names}
    return found


def rooms_of(module: str, parent: str) -> str:
    """The room below ``parent`` that has a module; '' if none has it."""
    inside = module.startswith(f'{parent}.')
    return module.removeprefix(f'{parent}.').split('.')[0] if inside else ''


def wrong_ways(module: str, imported: set) -> list:
    """Imports of a module from the same or a higher layer, as sentences."""
    wrong = []
    for parent, layers in LAYERS.items():
        rank = {room: i for i, layer in enumerate(layers) for room in layer}
        room = rooms_of(module, parent)
        for other in sorted(imported) if room else ():
            target = rooms_of(other, parent)
            if target and target != room and rank[target] >= rank[room]:
                wrong.append(f'{module} imports {other}')
    return wrong


def modules() -> dict:
    """Imports of each module of the package, by the module's name."""
    found = {}
    for path in PACKAGE.rglob('*.py'):
        if '.mim' in path.parts:
            continue
        parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
        is_package = parts[-1] == '__init__'
        name = '.'.join(parts[:-1] if is_package else parts)
        found[name] = imports(path.read_text(), name, is_package)
    return found


MODULES = modules()


def test_every_room_has_its_place():
    for parent, layers in LAYERS.items():
        known = {room for layer in layers for room in layer}
        there = {rooms_of(name, parent) for name in MODULES} - {''}
        assert there == known


def test_imports_run_one_way():
    assert not [
        text for m, found in MODULES.items() for text in wrong_ways(m, found)
    ]


@pytest.mark.parametrize(
    'module, line',
    [
        ('da_faster.engine.hooks.x', 'from da_faster.apis import train'),
        ('da_faster.models.x', 'def f():\n    import da_faster.engine.launch'),
        ('da_faster.engine.loops.x', 'from ..hooks import NonFiniteHook'),
        ('da_faster.errors', 'from .models import vgg'),
    ],
)
def test_a_backward_import_is_seen(module, line):
    (text,) = wrong_ways(module, imports(line, module, False))
    assert text.startswith(f'{module} imports da_faster.')


def test_no_file_needs_itself():
    """Files import in no circle, nor a file and its room."""
    files = {
        name: {
            other
            for other in MODULES
            for full in found
            if full == other
            or full.startswith(f'{other}.')
            and not any(
                full == o or full.startswith(f'{o}.')
                for o in MODULES
                if o.startswith(f'{other}.')
            )
        }
        for name, found in MODULES.items()
    }
    free = set()
    while len(free) < len(files):
        ready = {n for n, needs in files.items() if needs <= free} - free
        assert ready, {n: files[n] - free for n in files if n not in free}
        free |= ready


def private_names() -> set:
    """The names of MMEngine's Runner and loops that begin with a _."""
    found = set()
    for module in (mmengine.runner.runner, mmengine.runner.loops):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
            name = getattr(node, 'attr', getattr(node, 'name', None)) or ''
            if re.match('_[a-zA-Z]', name):
                found.add(name)
    return found


def private_parts(text: str) -> list:
    """The private parts of Runner and its loops that a file touches.

    A ``self`` may have attributes of these names.
    """
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            owner = getattr(node.value, 'id', None)
            found += [node.attr] if owner not in ('self', 'cls') else []
        elif isinstance(node, ast.Call):  # getattr and the like
            found += [getattr(given, 'value', None) for given in node.args]
        elif isinstance(node, ast.ImportFrom):
            found += [alias.name for alias in node.names]
    return [name for name in found if name in PRIVATE]


PRIVATE = private_names()


@pytest.mark.parametrize(
    'line',
    [
        'runner._resume = True',
        "getattr(runner, '_train_loop')",
        'from mmengine.runner.loops import _InfiniteDataloaderIterator',
    ],
)
def test_a_private_part_is_seen(line):
    assert private_parts(line)
    assert not private_parts('self._iter = runner.train_loop.iter')


def test_one_file_touches_private_parts_of_the_runner():
    files = [*PACKAGE.rglob('*.py'), *COMMANDS, *SPEED]
    found = {
        path.name: parts
        for path in files
        if (parts := private_parts(path.read_text()))
    }
    assert found.pop('runner_internals.py')
    assert not found


def test_the_package_needs_neither_commands_nor_tests():
    ours = {'tools', 'benchmarks', 'speed', 'tests', 'projects'}
    ours |= {path.stem for path in COMMANDS} - {'train', 'test'}
    for name, found in MODULES.items():
        assert not {other.split('.')[0] for other in found} & ours, name


@pytest.mark.parametrize(
    'path', [*COMMANDS, *SPEED], ids=lambda path: path.name
)
def test_nothing_imports_a_command(path):
    names = {other.stem for other in COMMANDS}
    module = f'{path.parent.name}.{path.stem}'
    found = imports(path.read_text(), module, False)
    assert not {other.split('.')[0] for other in found} & names


def options_defined_in(path: Path) -> set:
    """The options that a file defines by itself, for example ``--out``."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and str(node.args[0].value).startswith('--')
    }


# --classes of maskrcnn_benchmark.py are not labels to convert, but names in
# the order of a checkpoint.
SHARED = options_defined_in(Path(da_faster_options.__file__)) - {'--classes'}
SHARED |= options_defined_in(ROOT / 'benchmarks/speed/options.py')


@pytest.mark.parametrize('path', PROGRAMS, ids=lambda path: path.name)
def test_no_command_defines_a_shared_option_itself(path):
    assert {'--out', '--force', '--nproc', '--cfg-options'} < SHARED
    assert not options_defined_in(path) & SHARED
    assert 'ArgumentParser' not in path.read_text()


def test_options_are_read_before_torch():
    """Help and wrong options must not wait for imports of several seconds."""
    program = """
import contextlib, io, os, runpy, sys
for path in sys.argv[1:]:
    sys.path.insert(0, os.path.dirname(path))  # as Python does
    for option, code in (('--help', 0), ('--no-such-option', 2)):
        sys.argv = [path, option]
        said = io.StringIO()
        both = contextlib.redirect_stdout, contextlib.redirect_stderr
        with both[0](said), both[1](said):
            try:
                runpy.run_path(path, run_name='__main__')
            except SystemExit as stop:
                assert (stop.code or 0) == code, path
        assert said.getvalue().startswith('usage: '), path
        assert 'torch' not in sys.modules, path
"""
    assert len(PROGRAMS) > 15
    subprocess.run(
        [sys.executable, '-c', program, *map(str, PROGRAMS)], check=True
    )


def test_options_that_cannot_be_read_are_one_sentence(command, capsys):
    """All commands refuse such options alike, before importing torch."""
    for given, sentence in (
        ('foo', '--cfg-options foo: write KEY=VALUE'),
        ('=1', '--cfg-options =1: write KEY=VALUE'),
        ('a=(1,[2)', 'a=(1,[2): brackets do not match'),
        ('a=(1,2),(3,4)', 'a=(1,2),(3,4): brackets do not match'),
        ('a=[red cell,b]', 'a=[red cell,b]: write a text with spaces'),
    ):
        with pytest.raises(SystemExit) as ended:
            command('train.py', 'x.py', '--cfg-options', 'resume=True', given)
        assert ended.value.code == 2
        assert sentence in capsys.readouterr().err
    assert not [p.name for p in COMMANDS if 'DictAction' in p.read_text()]


DOCUMENTS = sorted((*ROOT.glob('*.md'), *ROOT.glob('docs/**/*.md')))


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_files_that_exist(path):
    text = path.read_text()
    named = re.findall(
        r'\b(?:configs|tools|benchmarks|tests|docs|requirements|projects)/'
        r'[\w/.-]*[a-z0-9]\.(?:py|sh|md|jpg|png)\b',
        text,
    )
    links = [link for link in re.findall(r'\]\(([^)#:]+)\)', text)]
    missing = [name for name in named if not (ROOT / name).exists()]
    missing += [ln for ln in links if not (path.parent / ln).exists()]
    assert not missing

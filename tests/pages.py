"""Reads the commands in the pages of the docs."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    (ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *ROOT.glob('docs/**/*.md'))
)
SHELL = re.compile(r'^( *)```sh\n(.*?)^\1```', re.DOTALL | re.MULTILINE)
FENCED = re.compile(r'^( *)```.*?^\1```', re.DOTALL | re.MULTILINE)
# In running text: what begins with a program, after assignments. A script with
# nothing but an option is a part of a command.
INLINE = re.compile(
    r'`((?:\w+=[^`]+?[ ;]+)*'
    r'(?:python|make|mim|(?:(?:tools|benchmarks)/)?\w+\.(?:sh|py)'
    r'|tools/\w+/\w+\.py) [^-`][^`]*)`'
)
SCRIPTS = {
    path.name: path
    for folder in ('tools', 'benchmarks')
    for path in ROOT.glob(f'{folder}/**/*.py')
}

# What stands for something that a parser wants to be a number, an option or a
# choice; and for any dataset converter.
STANDS_FOR = dict(N='1', R='1', S='1', SEED='1', MODE='--source')
STANDS_FOR.update(VARIANT='image')
STANDS_FOR['tools/dataset_converters/NAME.py'] = SCRIPTS['kitti.py']


def split(line: str) -> list[list[str]]:
    """Splits a line of shell into its simple commands."""
    words = shlex.shlex(line, posix=True, punctuation_chars=';&|')
    words.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in words:
        if set(word) <= set(';&|'):
            commands.append([])
        elif word not in ('until', 'do', 'done', 'if', 'then', 'fi'):
            commands[-1].append(word)
    return commands


def expand(word: str, variables: dict) -> list[str]:
    """Replaces variables in a word, and removes brackets of optional parts.

    Optional parts are written ``[--out DIR]`` or ``[WORK_DIR ...]``.
    """
    whole = word
    for name, value in variables.items():
        whole = re.sub(rf'\${name}\b', value, whole)
    words = whole.split() if whole != word else [word]
    words = [w if '=' in w or w in '[]' else w.strip('[]') for w in words]
    return [str(STANDS_FOR.get(w, w)) for w in words if w != '...']


def commands(text: str) -> list[list[str]]:
    """The commands of a page, without assignments."""
    lines = [
        line
        for _, block in SHELL.findall(text)
        for line in block.replace('\\\n', ' ').splitlines()
    ]
    lines += INLINE.findall(FENCED.sub('', text).replace('\n', ' '))
    found, variables = [], {}
    for line in lines:
        for words in split(line):
            while words and re.match(r'\w+=', words[0]):
                name, value = words.pop(0).split('=', 1)
                variables[name] = value
            if words:
                found.append(
                    [part for w in words for part in expand(w, variables)]
                )
    return found

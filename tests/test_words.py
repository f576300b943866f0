"""Docstrings can be understood without the lines around them."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A text with one of these beginnings leaves out its subject.
RIDDLE = r'(Of|As of|It|Its|They|Theirs|Those|That of|What it|And|Such as)\b'
# The first line of a docstring, or the text of an argument or an attribute.
BEGINNING = re.compile(rf'(\A|^ *\*{{0,2}}\w+( \([^)]*\))?: ){RIDDLE}', re.M)
DOCUMENTED = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef


def riddles(text: str) -> list[str]:
    """Lines of a file's docstrings that begin with a riddle."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, DOCUMENTED):
            docstring = ast.get_docstring(node) or ''
            found += [
                docstring[match.start() :].split('\n')[0].strip()
                for match in BEGINNING.finditer(docstring)
            ]
    return found


def test_docstrings_name_their_subject():
    files = [
        path
        for folder in ('projects', 'tools', 'benchmarks', 'tests')
        for path in (ROOT / folder).rglob('*.py')
        if '.mim' not in path.parts
    ]
    assert len(files) > 150
    found = {str(path): riddles(path.read_text()) for path in files}
    assert not {path: lines for path, lines in found.items() if lines}


@pytest.mark.parametrize(
    'docstring, line',
    [
        ('Of each class.', 'Of each class.'),
        ('What it shows.\n\nMore.', 'What it shows.'),
        ('It is new.', 'It is new.'),
        ('And no other.', 'And no other.'),
        ('X.\n\nArgs:\n    seed (int): Of it.', 'seed (int): Of it.'),
        ('X.\n\nAttributes:\n    low: Its least.', 'low: Its least.'),
        ('X.\n\nArgs:\n    **options: Those of y.', '**options: Those of y.'),
    ],
)
def test_a_riddle_is_seen(docstring, line):
    assert riddles(f'def f():\n    """{docstring}"""') == [line]


def test_other_beginnings_are_no_riddles():
    assert not riddles('"""Offers a seed.\n\nArgs:\n    a (int): Items."""')

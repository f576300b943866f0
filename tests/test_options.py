"""What the options of commands stand for."""

from argparse import ArgumentParser

import pytest

from da_faster_options import KeyValue


@pytest.mark.parametrize(
    'text, value',
    [
        ('/my data/x', '/my data/x'),
        ('"/my data/x"', '/my data/x'),
        ("('red cell','b')", ('red cell', 'b')),
        ("('red cell')", ('red cell',)),
        ('/data (old)/x (1)', '/data (old)/x (1)'),
        ("'/my data/a, b'", '/my data/a, b'),
        ('[a, b]', ['a', 'b']),
        ('1, 2', [1, 2]),
        ('[(1, 2), (3, x)]', [(1, 2), (3, 'x')]),
        (' 3', 3),
    ],
)
def test_options_keep_the_spaces_of_a_text(text, value):
    parser = ArgumentParser()
    parser.add_argument('--set', nargs='+', action=KeyValue)
    options = parser.parse_args(['--set', 'z=1', f'a.b={text}']).set
    assert options == {'z': 1, 'a.b': value}

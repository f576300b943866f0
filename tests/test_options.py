"""The options and the error handling that all commands share."""

from argparse import ArgumentParser

import pytest

from da_faster.errors import UserError
from da_faster_options import CommandParser, KeyValue, at_least, command


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


def test_an_integer_that_is_too_small_is_a_wrong_option(capsys):
    parser = CommandParser('')
    parser.add_argument('--num', type=at_least(2))
    assert parser.parse_args(['--num', '2']).num == 2
    for text, sentence in (('1', '1: it takes at least 2'), ('x', 'invalid')):
        with pytest.raises(SystemExit) as ended:
            parser.parse_args(['--num', text])
        assert ended.value.code == 2
        assert f'--num: {sentence}' in capsys.readouterr().err


def test_only_an_error_of_the_user_is_a_sentence():
    @command
    def main(argv):
        raise argv

    with pytest.raises(SystemExit, match='^x.py is no config$'):
        main(UserError('x.py is no config'))
    with pytest.raises(ValueError, match='ours'):
        main(ValueError('ours'))

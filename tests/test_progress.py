import io
import sys

import pytest

from da_faster.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_file_gets_one_line(capsys):
    assert list(progress(iter('abc'), 3, 'images')) == ['a', 'b', 'c']
    assert capsys.readouterr().out == '3/3 images\n'


def test_a_terminal_gets_a_bar(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, 'stdout', terminal)
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.setattr('rich._console', None)
    assert list(progress(iter('abc'), 3, 'images')) == ['a', 'b', 'c']
    assert 'images' in terminal.getvalue() and '100%' in terminal.getvalue()


def test_it_hands_on_what_has_come(capsys):
    def items():
        yield 1
        raise RuntimeError

    stream = progress(items(), 2, 'images')
    assert next(stream) == 1
    with pytest.raises(RuntimeError):
        next(stream)
    assert capsys.readouterr().out == ''

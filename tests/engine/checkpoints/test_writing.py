"""Files that are written together."""

import pytest

from da_faster.engine.checkpoints.writing import write_together
from da_faster.errors import UserError


def test_all_results_or_none(tmp_path):
    old, new = tmp_path / 'old', tmp_path / 'new'
    old.write_text('old')

    def fail(path):
        path.write_text('half')
        raise RuntimeError('disk full')

    with pytest.raises(UserError, match='new was not written: disk full'):
        write_together(
            {old: lambda path: path.write_text('new'), new: fail}, force=True
        )
    assert [p.name for p in tmp_path.iterdir()] == ['old']
    assert old.read_text() == 'old'
    write_together({old: lambda path: path.write_text('new')}, True)
    assert old.read_text() == 'new'

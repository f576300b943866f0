"""Classes of a checkpoint against the classes of the test set."""

from types import SimpleNamespace
from unittest import mock

import pytest

from da_faster.engine import RefusedCheckpoint
from da_faster.engine.hooks.fitting_checkpoint_hook import check_classes


def warnings_of(trained, tested) -> int:
    dataset = SimpleNamespace(metainfo=dict(classes=tested))
    runner = mock.Mock()
    runner._test_loop.dataloader.dataset = dataset
    meta = dict(dataset_meta=dict(classes=trained))
    check_classes(runner, dict(meta=meta))
    return runner.logger.warning.call_count


def test_another_order_is_refused():
    with pytest.raises(RefusedCheckpoint, match='order b a, .* order a b: '):
        warnings_of(['b', 'a'], ('a', 'b'))


def test_other_names_are_a_warning():
    assert warnings_of(('a', 'b'), ('a', 'c')) == 1
    assert warnings_of(['a', 'b'], ('a', 'b')) == 0
    # Weights of other projects have no names.
    assert warnings_of(None, ('a', 'b')) == 0
    check_classes(mock.Mock(), dict(state_dict={}))

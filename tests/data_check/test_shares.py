"""Samplers that share out a batch, or never end."""

from checking import find, only


def joined(data, ratio, batch_size=2) -> None:
    """The source twice, in shared batches."""
    source = data.train_dataloader.dataset
    sampler = dict(
        type='MultiSourceSampler', batch_size=batch_size, source_ratio=ratio
    )
    data.train_dataloader = dict(
        batch_size=batch_size,
        sampler=sampler,
        dataset=dict(
            type='JoinedDatasets',
            metainfo=source.metainfo,
            datasets=[source, source],
        ),
    )


def test_shares_of_a_batch(data):
    joined(data, [1, 1])
    assert find(data) == []
    sampler = data.train_dataloader.sampler
    for ratio in ([1], [1, 1, 1], (1, 1), 1, [1, 'a']):
        sampler.source_ratio = ratio
        only(data, True, 'source_ratio', 'give a list of 2 numbers')
    # Half of 1, a fifth of 2: MMDetection's sampler would wait forever.
    for ratio, batch_size, last in (
        ([1, 1], 1, 1),
        ([4, 1], 2, 1),
        ([1, 0], 2, 1),
        ([0, 1], 2, 0),
    ):
        sampler.update(source_ratio=ratio, batch_size=batch_size)
        data.train_dataloader.batch_size = batch_size
        only(data, True, f'less than one of {batch_size}', f'to set {last}')
    data.train_dataloader.batch_size = 2
    sampler.update(source_ratio=[1, 1], batch_size=4)
    only(data, True, 'batch_size=2', 'shares out 4')
    sampler.update(source_ratio=[1, 4], batch_size=2)
    assert find(data) == []


def test_a_sampler_without_an_end(data):
    joined(data, [1, 1])
    for train_cfg in (
        dict(type='EpochBasedTrainLoop', max_epochs=1),
        dict(max_epochs=1),
        dict(by_epoch=True, max_epochs=1),
    ):
        data.train_cfg = train_cfg
        only(data, True, 'MultiSourceSampler, which never ends', 'max_iters')
    for train_cfg in (
        dict(type='IterBasedTrainLoop', max_iters=1),
        dict(by_epoch=False, max_iters=1),
    ):
        data.train_cfg = train_cfg
        assert find(data) == []

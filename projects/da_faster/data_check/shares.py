"""Checks that each dataset has a share of a batch, and that an epoch ends."""

from da_faster.config_tree import last_name

from .reader import DataReader

ENDLESS = ('GroupMultiSourceSampler', 'InfiniteSampler', 'MultiSourceSampler')


def check_shares(reader: DataReader) -> None:
    """Checks the samplers of both training loaders.

    MultiSourceSampler needs a ratio for each dataset. It waits forever for a
    dataset whose share of the batch is less than an image.
    """
    cfg = reader.cfg
    check_sampler(reader, 'train_dataloader', cfg.get('train_dataloader'))
    check_sampler(
        reader,
        'train_cfg.target_dataloader',
        (cfg.get('train_cfg') or {}).get('target_dataloader'),
    )


def counts_epochs(train_cfg: dict) -> bool:
    """Whether a training loop counts epochs, not iterations."""
    if loop := train_cfg.get('type'):
        return last_name(loop) == 'EpochBasedTrainLoop'
    return bool(train_cfg) and train_cfg.get('by_epoch', True)


def check_sampler(reader: DataReader, key: str, loader: dict | None) -> None:
    """Checks the sampler of one dataloader.

    Args:
        reader (DataReader): Gets the findings.
        key (str): The config's key of the dataloader.
        loader (dict): The config of the dataloader, or None.
    """
    loader = loader or {}
    sampler = loader.get('sampler') or {}
    sampler_type = last_name(sampler.get('type'))
    endless = sampler_type in ENDLESS
    if endless and counts_epochs(reader.cfg.get('train_cfg') or {}):
        reader.fatal(
            f'{key} has a {sampler_type}, which never ends, and train_cfg '
            "counts epochs: give train_cfg type='IterBasedTrainLoop' and "
            'max_iters, and the param_scheduler by_epoch=False.'
        )
        return
    ratio = sampler.get('source_ratio')
    if ratio is None:
        return
    number = len((loader.get('dataset') or {}).get('datasets') or ())
    if (
        not isinstance(ratio, list)
        or len(ratio) != number
        or not all(isinstance(share, (int, float)) for share in ratio)
    ):
        reader.fatal(
            f'{key}.sampler.source_ratio={ratio!r}: give a list of {number} '
            f'numbers, one for each of {key}.dataset.datasets.'
        )
        return
    batch = sampler.get('batch_size')
    if batch != loader.get('batch_size'):
        reader.fatal(
            f'{key} has batch_size={loader.get("batch_size")}, and its '
            f'sampler shares out {batch}: give both the same batch_size.'
        )
        return
    for i, share in enumerate(ratio):
        if share <= 0 or (i and int(batch * share / sum(ratio)) < 1):
            reader.fatal(
                f'{key}.sampler.source_ratio={ratio!r} leaves less than one '
                f'of {batch} images to set {i}: raise its number, or the '
                'batch_size of the loader and its sampler.'
            )
            return

"""Batches of two domains: one padded shape, and plain batches."""

import torch

from da_faster.models import DomainDataPreprocessor

from .conftest import make_sample


def test_domains_share_one_padded_shape():
    g = torch.Generator().manual_seed(0)
    shapes = dict(source=[(30, 50)], target=[(64, 20), (10, 10)])
    batch = dict(
        inputs={
            d: [torch.full((3, *s), 10, dtype=torch.uint8) for s in sizes]
            for d, sizes in shapes.items()
        },
        data_samples={
            d: [make_sample(False, g) for _ in sizes]
            for d, sizes in shapes.items()
        },
    )
    for i, sample in enumerate(sum(batch['data_samples'].values(), [])):
        sample.set_metainfo(dict(img_id=i))
    preprocess = DomainDataPreprocessor(
        mean=[1.0, 2.0, 3.0], std=[1.0, 1.0, 1.0], pad_size_divisor=32
    )
    out = preprocess(batch, training=True)
    assert out['inputs']['source'].shape == (1, 3, 64, 64)
    assert out['inputs']['target'].shape == (2, 3, 64, 64)
    assert out['inputs']['source'][0, :, 0, 0].tolist() == [9, 8, 7]
    assert out['inputs']['target'][1, :, 63, 63].tolist() == [0, 0, 0]
    samples = out['data_samples']
    assert {d: [s.img_id for s in samples[d]] for d in shapes} == dict(
        source=[0], target=[1, 2]
    )
    assert samples['target'][1].batch_input_shape == (64, 64)


def test_plain_batch_in_training():
    g = torch.Generator().manual_seed(0)
    batch = dict(
        inputs=[torch.zeros(3, 8, 8, dtype=torch.uint8)],
        data_samples=[make_sample(False, g)],
    )
    out = DomainDataPreprocessor(pad_size_divisor=32)(batch, training=True)
    assert out['inputs'].shape == (1, 3, 32, 32)

"""Data preprocessor for batches of several domains."""

import torch
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.registry import MODELS
from mmdet.structures import SampleList


def add_empty_boxes(samples: SampleList) -> None:
    """Adds empty boxes to samples without boxes, which are the target's.

    MMDetection's batch augmentations resize the boxes of every sample.
    """
    for sample in samples:
        for key in ('gt_instances', 'ignored_instances'):
            if key in sample and 'bboxes' not in sample.get(key):
                sample.get(key).bboxes = torch.zeros(0, 4)


@MODELS.register_module()
class DomainDataPreprocessor(DetDataPreprocessor):
    """DetDataPreprocessor that also takes a batch of several domains.

    The arguments are the same. All domains are padded to one shape, so that
    the detector can stack them and the shape does not give the domain away.
    MMDetection's MultiBranchDataPreprocessor pads every branch by itself and
    takes no plain batch in training.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Normalises and pads a batch.

        Args:
            data (dict): A plain batch, whose ``inputs`` and ``data_samples``
                are lists, or a batch by domain: ``{'inputs': {'source': [...],
                'target': [...]}, 'data_samples': {...}}``.
            training (bool): Whether to apply batch augmentations.

        Returns:
            dict: ``inputs`` and ``data_samples`` of DetDataPreprocessor, by
            domain if the batch was by domain.
        """
        if not isinstance(data['inputs'], dict):
            return super().forward(data, training)
        if training and self.batch_augments:
            for samples in data['data_samples'].values():
                add_empty_boxes(samples)
        domains = list(data['inputs'])
        sizes = [len(data['inputs'][d]) for d in domains]
        joint = super().forward(
            {
                key: [item for d in domains for item in data[key][d]]
                for key in ('inputs', 'data_samples')
            },
            training,
        )
        samples = iter(joint['data_samples'])
        return dict(
            inputs=dict(zip(domains, joint['inputs'].split(sizes))),
            data_samples={
                d: [next(samples) for _ in range(size)]
                for d, size in zip(domains, sizes)
            },
        )

    def pad_gt_masks(self, batch_data_samples: SampleList) -> None:
        """Pads the masks of samples that have masks (the source's)."""
        labelled = [s for s in batch_data_samples if 'masks' in s.gt_instances]
        if labelled:
            super().pad_gt_masks(labelled)

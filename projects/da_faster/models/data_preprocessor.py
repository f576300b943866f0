"""Data preprocessor for batches of several domains."""

import torch
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.registry import MODELS
from mmdet.structures import SampleList


def give_boxes(samples: SampleList) -> None:
    """Gives samples without boxes, the target's, an empty set of them.

    MMDetection's batch augmentations resize the boxes of every sample.
    """
    for sample in samples:
        for key in ('gt_instances', 'ignored_instances'):
            if key in sample and 'bboxes' not in sample.get(key):
                sample.get(key).bboxes = torch.zeros(0, 4)


@MODELS.register_module()
class DomainDataPreprocessor(DetDataPreprocessor):
    """DetDataPreprocessor that also takes a batch of several domains.

    Takes the same arguments. All domains are padded to ONE shape, so that the
    detector can stack them and no domain is betrayed by the size of its batch;
    MMDetection's MultiBranchDataPreprocessor pads every branch by itself and
    takes no plain batch in training.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """
        Args:
            data (dict): A plain batch (``inputs`` and ``data_samples`` are
                lists), or one of lists by domain: ``{'inputs': {'source':
                [...], 'target': [...]}, 'data_samples': {...}}``.
            training (bool): Whether to apply batch augmentations.

        Returns:
            dict: As DetDataPreprocessor, by domain if the batch was.
        """
        if not isinstance(data['inputs'], dict):
            return super().forward(data, training)
        if training and self.batch_augments:
            for samples in data['data_samples'].values():
                give_boxes(samples)
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
        """Pads the masks of the samples that have any: the source's."""
        labelled = [s for s in batch_data_samples if 'masks' in s.gt_instances]
        if labelled:
            super().pad_gt_masks(labelled)

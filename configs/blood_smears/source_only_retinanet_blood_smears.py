# A dense detector of one stage: docs/adapt_results.md adapts it.
_base_ = [
    '../_base_/models/retinanet_r18_small.py',
    '../_base_/datasets/blood_smears.py',
    '../_base_/schedules/small_800.py',
    '../_base_/small_runtime.py',
]
model = dict(bbox_head=dict(num_classes=2))

# A dense detector of one stage: docs/adapt_results.md adapts it.
_base_ = [
    '../_base_/models/retinanet_r18_small.py',
    '../_base_/datasets/city2foggy_demo.py',
    '../_base_/schedules/small_2200.py',
    '../_base_/small_runtime.py',
]
# Anchors from 16 pixels: the objects are small.
model = dict(
    bbox_head=dict(num_classes=5, anchor_generator=dict(octave_base_scale=2))
)

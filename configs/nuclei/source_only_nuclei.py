# Nuclei, fluorescence images -> stained tissue: a small detector, from
# scratch, on a CPU, without domain adaptation.
_base_ = [
    '../_base_/models/faster_rcnn_r18_small.py',
    '../_base_/datasets/nuclei.py',
    '../_base_/schedules/small_800.py',
    '../_base_/small_runtime.py',
]
model = dict(
    rpn_head=dict(anchor_generator=dict(scales=[1, 2, 4])),
    roi_head=dict(bbox_head=dict(num_classes=1)),
)

# Blood smears of two laboratories: a small detector, from scratch, on a CPU,
# without domain adaptation.
_base_ = [
    '../_base_/models/faster_rcnn_r18_small.py',
    '../_base_/datasets/blood_smears.py',
    '../_base_/schedules/small_800.py',
    '../_base_/small_runtime.py',
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=2)))

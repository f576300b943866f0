# Faster R-CNN without domain adaptation, SIM10k -> Cityscapes: the detector
# and the training of the reference R50-C4 recipe.
_base_ = [
    '../_base_/models/faster_rcnn_r50_caffe_c4.py',
    '../_base_/datasets/sim10k2city.py',
    '../_base_/schedules/reference_70k.py',
    '../_base_/default_runtime.py',
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=1)))

# Domain Adaptive Faster R-CNN, Cityscapes -> Foggy Cityscapes: the reference
# R50-C4 recipe (one source and one target image an iteration, 70k iterations).
_base_ = [
    './_base_/models/da_faster_rcnn_r50_caffe_c4.py',
    './_base_/datasets/city2foggy.py',
    './_base_/schedules/reference_70k.py',
    './_base_/default_runtime.py',
]
train_cfg = dict(max_iters=_base_.max_iters, val_interval=10000)

# DA Faster R-CNN, KITTI -> Cityscapes: the reference R50-C4 recipe.
_base_ = [
    '../_base_/models/da_faster_rcnn_r50_caffe_c4.py',
    '../_base_/datasets/kitti2city.py',
    '../_base_/schedules/reference_70k.py',
    '../_base_/default_runtime.py',
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=1)))
train_cfg = dict(max_iters=_base_.max_iters, val_interval=10000)

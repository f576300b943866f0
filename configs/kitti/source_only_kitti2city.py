# Faster R-CNN without domain adaptation, KITTI -> Cityscapes: the detector
# and the training of the reference R50-C4 recipe.
_base_ = [
    '../_base_/models/faster_rcnn_r50_caffe_c4.py',
    '../_base_/datasets/sim10k2city.py',
    '../_base_/schedules/reference_70k.py',
    '../_base_/default_runtime.py',
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=1)))
# The target is that of SIM10k -> Cityscapes. The source is KITTI's 7,481
# images with labels.
train_dataloader = dict(
    dataset=dict(
        data_root='data/kitti/',
        ann_file='annotations/trainval.json',
        data_prefix=dict(img='training/image_2/'),
    )
)

# ALDI++: 10,000 iterations of burn-in, 15,000 of self-training, constant rate.
# ALDI++'s rate is 0.06 for 48 images; an iteration here has 32 on 8 GPUs.
max_iters = 25000
train_cfg = dict(
    type='SeededTrainLoop', max_iters=max_iters, val_interval=5000
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='AmpOptimWrapper',
    optimizer=dict(type='SGD', lr=0.04, momentum=0.9, weight_decay=0.0001),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100)
]
# base_batch_size counts source images: GPUs x train_dataloader.batch_size.
auto_scale_lr = dict(enable=False, base_batch_size=16)
# MMDetection's Mask R-CNN, R50-FPN, 3x on COCO.
coco_weights = (
    'https://download.openmmlab.com/mmdetection/v2.0/mask_rcnn/'
    'mask_rcnn_r50_fpn_mstrain-poly_3x_coco/'
    'mask_rcnn_r50_fpn_mstrain-poly_3x_coco_20210524_201154-21b550bb.pth'
)

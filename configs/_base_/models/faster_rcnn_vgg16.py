# Faster R-CNN, VGG16 as in the paper: conv5_3 at stride 16, RoIAlign 7, fc6
# and fc7 for every RoI. The ImageNet weights are torchvision's, which has fc6
# and fc7 as well. Those of open-mmlab://vgg16_caffe serve SSD, whose fc6 and
# fc7 are other layers.
_base_ = './faster_rcnn_r50_caffe_c4.py'

pretrained = dict(type='Pretrained', checkpoint='torchvision://vgg16')
model = dict(
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        _delete_=True,
        type='VGG',
        depth=16,
        frozen_stages=2,
        init_cfg=pretrained,
    ),
    rpn_head=dict(in_channels=512, feat_channels=512),
    roi_head=dict(
        shared_head=dict(
            _delete_=True,
            type='VGGFCLayers',
            init_cfg=dict(prefix='classifier.', **pretrained),
        ),
        bbox_roi_extractor=dict(
            roi_layer=dict(output_size=7), out_channels=512
        ),
        bbox_head=dict(with_avg_pool=False, roi_feat_size=1, in_channels=4096),
    ),
)

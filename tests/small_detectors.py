"""MMDetection's own detectors, made small."""

CONFIGS = dict(
    FasterRCNN='faster_rcnn/faster-rcnn_r50_fpn_1x_coco',
    CascadeRCNN='cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco',
    MaskRCNN='mask_rcnn/mask-rcnn_r50_fpn_1x_coco',
    RetinaNet='retinanet/retinanet_r50_fpn_1x_coco',
    FCOS='fcos/fcos_r50-caffe_fpn_gn-head_1x_coco',
    ATSS='atss/atss_r50_fpn_1x_coco',
    RTMDet='rtmdet/rtmdet_tiny_8xb32-300e_coco',
    YOLOX='yolox/yolox_tiny_8xb8-300e_coco',
    DETR='detr/detr_r50_8xb2-150e_coco',
    DeformableDETR='deformable_detr/deformable-detr_r50_16xb2-50e_coco',
    DINO='dino/dino-4scale_r50_8xb2-12e_coco',
)


def narrow(cfg) -> None:
    """A ResNet-18 of an eighth of the width, few layers, few queries."""
    if cfg.backbone.type == 'ResNet':
        cfg.backbone.update(
            depth=18, base_channels=8, init_cfg=None, style='pytorch'
        )
        stages = cfg.backbone.get('out_indices', range(4))
        cfg.neck.in_channels = [8 * 2**stage for stage in stages]
    else:
        cfg.backbone.pop('init_cfg', None)
    for part in ('encoder', 'decoder'):
        if part in cfg:
            cfg[part].num_layers = 1
    if 'num_queries' in cfg:
        cfg.num_queries = 10
        cfg.test_cfg = dict(max_per_img=10)
    if 'roi_head' in cfg:
        cfg.train_cfg.rpn_proposal.max_per_img = 20
        cfg.test_cfg.rpn.max_per_img = 20
        rcnn = cfg.train_cfg.rcnn
        for stage in rcnn if isinstance(rcnn, list) else [rcnn]:
            stage.sampler.num = 16
        heads = cfg.roi_head.bbox_head
        for head in heads if isinstance(heads, list) else [heads]:
            head.fc_out_channels = 32

# ResNet-34-FPN, Cityscapes -> Foggy Cityscapes. Without adaptation:
#   --cfg-options model.domain_neck=None model.instance_domain_head=None
#   model.loss_consistency=None
_base_ = './da_faster_r50_fpn_city2foggy.py'
model = dict(
    backbone=dict(
        depth=34, init_cfg=dict(checkpoint='torchvision://resnet34')
    ),
    neck=dict(in_channels=[64, 128, 256, 512]),
)

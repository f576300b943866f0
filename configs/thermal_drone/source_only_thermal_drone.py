# Thermal images of a drone, day -> night: a YOLOX-nano with COCO weights,
# tuned on the day. docs/data.md says where the images and the weights are.
_base_ = [
    '../_base_/models/yolox_nano.py',
    '../_base_/datasets/thermal_drone.py',
    '../_base_/schedules/fine_tuning_500.py',
    '../_base_/small_runtime.py',
]
model = dict(bbox_head=dict(num_classes=3))
load_from = 'checkpoints/yolox_nano_coco.pth'
custom_hooks = [dict(type='EMAHook', momentum=0.01)]

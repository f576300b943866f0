# For weights converted by tools/model_converters/maskrcnn_benchmark.py.
_base_ = [
    '../source_only_city2foggy.py',
    '../_base_/methods/domain_classifiers_r50_c4.py',
]
# Anchors: sides rounded at stride 16, then scaled, about the cell's centre.
# Boxes there end at their last pixel and are x2 - x1 + 1 wide; with x2 + 1 for
# x2, the ordinary box coders give the same boxes.
anchors = [
    (w * scale, h * scale)
    for w, h in ((23, 12), (16, 16), (11, 22))
    for scale in (2, 4, 8, 16, 32)
]
model = _base_.domain_classifiers
model.update(
    loss_consistency=_base_.consistency,
    rpn_head=dict(
        anchor_generator=dict(
            _delete_=True,
            type='YOLOAnchorGenerator',
            strides=[16],
            base_sizes=[anchors],
        )
    ),
    roi_head=dict(bbox_roi_extractor=dict(roi_layer=dict(aligned=False))),
)
# PIL smooths where it shrinks an image, OpenCV does not.
resize = dict(
    type='Resize', scale=(1200, 600), keep_ratio=True, backend='pillow'
)
train_pipeline = _base_.train_pipeline
test_pipeline = _base_.test_pipeline
target = _base_.target_dataloader
train_pipeline[2] = test_pipeline[1] = target.dataset.pipeline[1] = resize
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(type='DALoop', target_dataloader=target)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

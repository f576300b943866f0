# KITTI (the 7,481 images with labels) -> Cityscapes: cars. As SIM10k ->
# Cityscapes but for the source.
_base_ = './sim10k2city.py'

source_root = 'data/kitti/'
train_dataloader = dict(
    dataset=dict(
        data_root=source_root,
        ann_file='annotations/trainval.json',
        data_prefix=dict(img='training/image_2/'),
    )
)

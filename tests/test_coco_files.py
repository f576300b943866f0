import torch
from mmengine.structures import InstanceData

from da_faster.coco_files import coco_content, coco_detections


def instances(*boxes: tuple) -> InstanceData:
    """(x1, y1, x2, y2, label, score) each."""
    boxes = torch.tensor(boxes).float().reshape(-1, 6)
    return InstanceData(
        bboxes=boxes[:, :4], labels=boxes[:, 4].long(), scores=boxes[:, 5]
    )


FOUND = instances((1, 2, 5, 10, 0, 0.5), (0, 0, 4, 4, 1, 0.25))


def test_coco_detections():
    """Labels without a category are left out."""
    assert coco_detections(7, FOUND, {0: 3}) == [
        dict(image_id=7, category_id=3, bbox=[1, 2, 4, 8], score=0.5)
    ]
    assert coco_detections(7, instances(), {0: 3}) == []


def test_coco_content():
    images = [('a.png', (20, 30)), ('b.png', (40, 50))]
    content = coco_content(
        images, [instances(), FOUND], ('car', 'bus'), dict(made='by hand')
    )
    assert content == dict(
        info=dict(made='by hand'),
        images=[
            dict(id=1, file_name='a.png', width=30, height=20),
            dict(id=2, file_name='b.png', width=50, height=40),
        ],
        annotations=[
            dict(
                id=1, image_id=2, category_id=1, bbox=[1, 2, 4, 8], area=32,
                iscrowd=0, score=0.5,
            ),
            dict(
                id=2, image_id=2, category_id=2, bbox=[0, 0, 4, 4], area=16,
                iscrowd=0, score=0.25,
            ),
        ],
        categories=[dict(id=1, name='car'), dict(id=2, name='bus')],
    )  # fmt: skip

"""Lists kept by hand of MMDetection's heads and losses name all of them."""

import ast
import inspect
from pathlib import Path

import mmdet.models
import pytest
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules

from da_faster.detectors.score_kinds import SIGMOID, scores_are_sigmoids
from da_faster.models.self_training import uncertain_boxes
from da_faster.models.self_training.localization_losses import (
    is_localization_loss,
)

# First, what the losses of a head do with a prior that the assigner ignores:
# 'spares' it, 'counts' it, or '-' for a head whose assigner ignores no box.
# Then, the scores of a head with its default losses; '-' for a head that does
# not score classes of boxes.
HEADS = """
    ATSSHead                spares sigmoid
    ATSSVLFusionHead        spares sigmoid
    AnchorFreeHead          -      sigmoid
    AnchorHead              spares sigmoid
    AutoAssignHead          -      sigmoid
    BBoxHead                -      softmax
    BoxInstBboxHead         -      sigmoid
    BoxInstMaskHead         -      -
    CLRHead                 -      -
    CascadeRPNHead          counts -
    CascadeRoIHead          spares -
    CenterNetHead           -      sigmoid
    CenterNetUpdateHead     -      sigmoid
    CentripetalHead         -      sigmoid
    CondInstBboxHead        -      sigmoid
    CondInstMaskHead        -      -
    ConditionalDETRHead     -      softmax
    ConvFCBBoxHead          -      softmax
    CornerHead              -      sigmoid
    DABDETRHead             -      softmax
    DDODHead                spares sigmoid
    DDQDETRHead             -      softmax
    DETRHead                -      softmax
    DIIHead                 -      softmax
    DINOHead                -      softmax
    DecoupledSOLOHead       -      sigmoid
    DecoupledSOLOLightHead  -      sigmoid
    DeformableDETRHead      -      softmax
    DoubleConvFCBBoxHead    -      softmax
    DoubleHeadRoIHead       spares -
    DynamicRoIHead          spares -
    EmbeddingRPNHead        -      -
    FCOSHead                -      sigmoid
    FSAFHead                -      sigmoid
    FoveaHead               -      sigmoid
    FreeAnchorRetinaHead    counts sigmoid
    GARPNHead               counts sigmoid
    GARetinaHead            counts sigmoid
    GFLHead                 spares sigmoid
    GridRoIHead             spares -
    GroundingDINOHead       -      softmax
    GuidedAnchorHead        counts sigmoid
    HybridTaskCascadeRoIHead spares -
    LADHead                 spares sigmoid
    LDHead                  spares sigmoid
    Mask2FormerHead         -      softmax
    MaskFormerHead          -      softmax
    MaskScoringRoIHead      spares -
    MultiInstanceBBoxHead   -      softmax
    MultiInstanceRoIHead    counts -
    NASFCOSHead             -      sigmoid
    PAAHead                 spares sigmoid
    PISARetinaHead          spares sigmoid
    PISARoIHead             spares -
    PISASSDHead             spares softmax
    PointRendRoIHead        spares -
    RPNHead                 spares sigmoid
    RTMDetHead              -      sigmoid
    RTMDetInsHead           -      sigmoid
    RTMDetInsSepBNHead      -      sigmoid
    RTMDetSepBNHead         -      sigmoid
    RepPointsHead           spares sigmoid
    RetinaHead              spares sigmoid
    RetinaSepBNHead         spares sigmoid
    SABLHead                -      softmax
    SABLRetinaHead          spares sigmoid
    SCNetBBoxHead           -      softmax
    SCNetRoIHead            spares -
    SOLOHead                -      sigmoid
    SOLOV2Head              -      sigmoid
    SSDHead                 spares softmax
    Shared2FCBBoxHead       -      softmax
    Shared4Conv1FCBBoxHead  -      softmax
    SparseRoIHead           -      -
    StageCascadeRPNHead     counts sigmoid
    StandardRoIHead         spares -
    TOODHead                counts sigmoid
    TridentRoIHead          spares -
    VFNetHead               counts sigmoid
    YOLACTHead              spares softmax
    YOLACTProtonet          -      -
    YOLOFHead               -      sigmoid
    YOLOV3Head              -      sigmoid
    YOLOXHead               -      sigmoid
"""
HEADS = {
    name: kinds for name, *kinds in map(str.split, HEADS.split('\n')[1:-1])
}

# Losses of heads. One that mixes boxes and classes counts as classification:
# without it nothing would be learned.
LOCALIZATION = """
    aux_loss_bbox centripetal_loss dn_loss_bbox dn_loss_iou enc_loss_bbox
    enc_loss_iou guiding_loss iou_loss loss_anchor_shape loss_bbox
    loss_bbox_cls loss_bbox_reg loss_bbox_rf loss_carl loss_centerness
    loss_dfl loss_dice loss_grid loss_iou loss_l1 loss_ld loss_mask
    loss_mask_iou loss_mask_pairwise loss_mask_project loss_offset
    loss_point loss_pts_init loss_pts_refine loss_rpn_bbox loss_rpn_reg
    loss_shape loss_wh loss_xy off_loss pull_loss push_loss reg_xytl_loss
""".split()
CLASSIFICATION = """
    aux_loss_cls cls_loss det_loss dn_loss_cls enc_loss_cls loss_anchor_loc
    loss_center loss_center_heatmap loss_cls loss_cls_classes
    loss_cls_objectness loss_conf loss_glbctx loss_loc loss_neg loss_obj
    loss_pos loss_rcnn_emd loss_rcnn_emd_ref loss_rpn_cls loss_seg
    loss_segm loss_semantic_seg negative_bag_loss positive_bag_loss
    seg_loss
""".split()

# Losses whose class scores are a softmax by default, or that are none of
# classes.
NOT_SIGMOID = """
    AssociativeEmbeddingLoss BalancedL1Loss BoundedIoULoss CIoULoss
    CrossEntropyCustomLoss CrossEntropyLoss DDQAuxLoss DIoULoss DiceLoss
    DistributionFocalLoss EIoULoss GHMR GIoULoss IoULoss
    KnowledgeDistillationKLDivLoss L1Loss L2Loss MSELoss MarginL2Loss
    MultiPosCrossEntropyLoss SIoULoss SeesawLoss SmoothL1Loss TripletLoss
""".split()


# Names of other values.
NO_LOSSES = 'loss', 'loss_weight'


def registered(*packages: str) -> dict[str, type]:
    """MMDetection's registered classes in packages of ``mmdet.models``."""
    register_all_modules()
    return {
        name: cls
        for name, cls in MODELS.module_dict.items()
        if inspect.isclass(cls)
        and cls.__module__.startswith(
            tuple(f'mmdet.models.{package}' for package in packages)
        )
    }


def heads() -> dict[str, type]:
    found = registered('dense_heads', 'roi_heads')
    return {
        name: cls
        for name, cls in found.items()
        if not any(
            part in cls.__module__
            for part in ('mask_heads', 'roi_extractors', 'shared_heads')
        )
    }


def test_each_head_is_known():
    unknown = sorted(set(heads()) - set(HEADS))
    assert not unknown, (
        f'{unknown}: new in MMDetection. Name each in HEADS, and those whose '
        'losses count priors that the assigner ignores in '
        'uncertain_boxes.COUNTING_IGNORED_PRIORS.'
    )


@pytest.mark.parametrize('name', HEADS)
def test_what_a_head_does_with_ignored_priors(name):
    cls = heads().get(name)
    if cls is None:
        pytest.skip('this MMDetection does not have it')
    named = {base.__name__ for base in cls.__mro__}.intersection(
        uncertain_boxes.COUNTING_IGNORED_PRIORS
    )
    counts = HEADS[name][0] == 'counts'
    assert bool(named) == counts, (
        f'{name} in uncertain_boxes.COUNTING_IGNORED_PRIORS: {bool(named)}, '
        f'but its losses count ignored priors: {counts}'
    )


@pytest.mark.parametrize(
    'name, scores',
    [(name, scores) for name, (_, scores) in HEADS.items() if scores != '-'],
)
def test_the_scores_of_a_head(name, scores):
    if name not in heads():
        pytest.skip('this MMDetection does not have it')
    sigmoid = scores_are_sigmoids(dict(bbox_head=dict(type=name)))
    assert sigmoid == (scores == 'sigmoid'), 'see score_kinds.SIGMOID'


def test_each_loss_of_scores_is_known():
    losses = registered('losses')
    unknown = sorted(
        name
        for name in losses
        if name.endswith(('Loss', 'GHMC', 'GHMR'))
        and name not in (*SIGMOID, *NOT_SIGMOID)
    )
    assert not unknown, (
        f'{unknown}: new in MMDetection. Name losses of sigmoid scores in '
        'score_kinds.SIGMOID, others in NOT_SIGMOID.'
    )
    assert not set(SIGMOID).intersection(NOT_SIGMOID)
    for name, cls in losses.items():
        default = inspect.signature(cls).parameters.get('use_sigmoid')
        if default and name != 'DiceLoss':  # a loss of masks
            assert (name in SIGMOID) == default.default, (
                f'{name} in score_kinds.SIGMOID: {name in SIGMOID}, its '
                f'default: {default}'
            )


def keys_in(tree: ast.AST) -> set[str]:
    """Texts that a file may use as a key of a dict of losses."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (
            getattr(node.func, 'id', '') == 'dict'
            or getattr(node.func, 'attr', '') == 'update'
        ):
            found.update(keyword.arg for keyword in node.keywords)
        elif isinstance(node, ast.Subscript):
            found.add(getattr(node.slice, 'value', None))
        elif isinstance(node, ast.Dict):
            found.update(getattr(key, 'value', None) for key in node.keys)
        elif isinstance(node, ast.JoinedStr):
            found.add(getattr(node.values[-1], 'value', None))
    return {
        key.split('.')[-1]
        for key in found
        if isinstance(key, str) and key.isascii() and ' ' not in key
    }


def test_each_loss_key_of_a_head_is_known():
    """Found in the source, as nothing lists them."""
    root = Path(mmdet.models.__file__).parent
    folders = ('dense_heads', 'detectors', 'losses', 'roi_heads')
    found = {}
    for folder in folders:
        for path in sorted((root / folder).rglob('*.py')):
            for key in keys_in(ast.parse(path.read_text('utf-8'))):
                if 'loss' in key.split('_') and key not in NO_LOSSES:
                    found.setdefault(key, path.name)
    assert len(found) > 50
    for key, file in found.items():
        localizes, classifies = key in LOCALIZATION, key in CLASSIFICATION
        assert localizes != classifies, (
            f'{key}, which {file} of MMDetection may use: name it in one of '
            'LOCALIZATION and CLASSIFICATION, and a part of the name of a '
            'localization loss in localization_losses.LOCALIZATION_LOSSES.'
        )
        assert is_localization_loss(key) == localizes, (
            f'{key} in localization_losses.LOCALIZATION_LOSSES: '
            f'{not localizes}, by this test: {localizes}'
        )

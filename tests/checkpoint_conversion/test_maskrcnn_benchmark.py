"""The converter of maskrcnn-benchmark's weights, against a computation with
plain functions that reads those weights under their own names.

Shapes: A = 15 anchors a cell, R RoIs, C = 9 classes with the background.
"""

import hashlib
import runpy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope

from da_faster.checkpoint_conversion import maskrcnn_benchmark as converter

COMMAND = runpy.run_path(
    str(
        Path(__file__).parents[2]
        / 'tools/model_converters/maskrcnn_benchmark.py'
    )
)

CLASSES = (
    'person',
    'rider',
    'car',
    'truck',
    'bus',
    'train',
    'motorcycle',
    'bicycle',
)
BLOCKS = {'layer1': 3, 'layer2': 4, 'layer3': 6, 'layer4': 3}
HEAD = 'roi_heads.box.feature_extractor.head'
SIZE = (96, 128)  # height, width
# generate_anchors(16, (32, ..., 512), (0.5, 1, 2)), of which the first, sixth
# and eleventh are (-15, -4, 30, 19), (-8, -8, 23, 23) and (-3, -14, 18, 29).
ANCHORS = torch.tensor(
    [
        [
            7.5 - 0.5 * (w * s - 1),
            7.5 - 0.5 * (h * s - 1),
            7.5 + 0.5 * (w * s - 1),
            7.5 + 0.5 * (h * s - 1),
        ]
        for w, h in ((23, 12), (16, 16), (11, 22))
        for s in (2, 4, 8, 16, 32)
    ]
)


def shapes():
    """Names and shapes of the port's R50-C4 with 8 classes."""
    layers = {
        'rpn.head.conv': (1024, 1024, 3, 3),
        'rpn.head.cls_logits': (15, 1024, 1, 1),
        'rpn.head.bbox_pred': (60, 1024, 1, 1),
        'roi_heads.box.predictor.cls_score': (9, 2048),
        'roi_heads.box.predictor.bbox_pred': (36, 2048),
        'da_heads.imghead.conv1_da': (512, 1024, 1, 1),
        'da_heads.imghead.conv2_da': (1, 512, 1, 1),
        'da_heads.inshead.fc1_da': (1024, 2048),
        'da_heads.inshead.fc2_da': (1024, 1024),
        'da_heads.inshead.fc3_da': (1, 1024),
    }
    convs = {'backbone.body.stem.conv1': (64, 3, 7, 7)}
    norms = {'backbone.body.stem.bn1': 64}
    channels = 64
    for i, (layer, count) in enumerate(BLOCKS.items()):
        stage = f'{HEAD if layer == "layer4" else "backbone.body"}.{layer}'
        inner, outer = 64 * 2**i, 256 * 2**i
        convs[f'{stage}.0.downsample.0'] = (outer, channels, 1, 1)
        norms[f'{stage}.0.downsample.1'] = outer
        for n in range(count):
            convs[f'{stage}.{n}.conv1'] = (inner, channels, 1, 1)
            convs[f'{stage}.{n}.conv2'] = (inner, inner, 3, 3)
            convs[f'{stage}.{n}.conv3'] = (outer, inner, 1, 1)
            for k, width in ((1, inner), (2, inner), (3, outer)):
                norms[f'{stage}.{n}.bn{k}'] = width
            channels = outer
    return layers, convs, norms


@pytest.fixture(scope='module')
def weights():
    """A checkpoint's ``model``: random, activations of about unit size."""
    generator = torch.Generator().manual_seed(0)

    def normal(shape, std):
        return torch.randn(shape, generator=generator) * std

    layers, convs, norms = shapes()
    state = {'rpn.anchor_generator.cell_anchors.0': ANCHORS}
    for name, shape in {**layers, **convs}.items():
        fan_in = torch.tensor(shape[1:]).prod()
        state[f'{name}.weight'] = normal(shape, (1.5 / fan_in) ** 0.5)
        if name in layers:
            state[f'{name}.bias'] = normal(shape[0], 0.1)
    for name, width in norms.items():
        state[f'{name}.weight'] = 0.7 + normal(width, 0.1).abs()
        state[f'{name}.bias'] = normal(width, 0.1)
        state[f'{name}.running_mean'] = normal(width, 0.1)
        # Small ones too: there the missing eps is seen.
        state[f'{name}.running_var'] = 1 + normal(width, 0.2).abs()
    state['backbone.body.stem.conv1.weight'] /= 60  # pixels are not unit size
    state['backbone.body.stem.bn1.weight'] *= 1e-2
    state['backbone.body.stem.bn1.running_var'] *= 1e-4
    # A box wholly outside the image stays there, one pixel wide; here it goes.
    state['rpn.head.bbox_pred.weight'] *= 0.1
    return state


@pytest.fixture(scope='module')
def image():
    """Normalised, (1, 3, H, W)."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn((1, 3, *SIZE), generator=generator) * 60


@pytest.fixture(scope='module')
def converted(weights, tmp_path_factory):
    """The converted checkpoint, of a distributed training, and its model."""
    folder = tmp_path_factory.mktemp('maskrcnn_benchmark')
    src, out = folder / 'model_final.pth', folder / 'sub' / 'out.pth'
    torch.save(
        dict(
            model={f'module.{name}': x for name, x in weights.items()},
            optimizer=dict(state={}, param_groups=[]),
            scheduler=dict(milestones=(50000,), last_epoch=70000),
            iteration=70000,
        ),
        src,
        _use_new_zipfile_serialization=False,
    )  # as PyTorch 1.1 wrote it
    COMMAND['main']([str(src), str(out)])
    checkpoint = torch.load(out, weights_only=True)
    checkpoint['digest'] = hashlib.sha256(src.read_bytes()).hexdigest()
    checkpoint['files'] = sorted(p.name for p in out.parent.iterdir())
    src.unlink()
    out.unlink()
    init_default_scope('mmdet')
    model = MODELS.build(Config.fromfile(COMMAND['CONFIG']).model)
    model.load_state_dict(checkpoint['state_dict'], strict=True)
    return checkpoint, model.eval()


# maskrcnn-benchmark by hand.


def norm(w, name, x):
    """Applies the port's FrozenBatchNorm2d, which has no eps."""
    scale = w[f'{name}.weight'] * w[f'{name}.running_var'].rsqrt()
    shift = w[f'{name}.bias'] - w[f'{name}.running_mean'] * scale
    return x * scale[:, None, None] + shift[:, None, None]


def bottleneck(w, name, x, stride):
    """The stride is in the first 1x1 convolution."""
    out = F.conv2d(x, w[f'{name}.conv1.weight'], stride=stride)
    out = F.relu(norm(w, f'{name}.bn1', out))
    out = F.conv2d(out, w[f'{name}.conv2.weight'], padding=1)
    out = F.relu(norm(w, f'{name}.bn2', out))
    out = norm(w, f'{name}.bn3', F.conv2d(out, w[f'{name}.conv3.weight']))
    if f'{name}.downsample.0.weight' in w:
        x = F.conv2d(x, w[f'{name}.downsample.0.weight'], stride=stride)
        x = norm(w, f'{name}.downsample.1', x)
    return F.relu(out + x)


def stage(w, name, x, stride):
    for n in range(BLOCKS[name.split('.')[-1]]):
        x = bottleneck(w, f'{name}.{n}', x, stride if n == 0 else 1)
    return x


def backbone(w, x):
    x = F.conv2d(x, w['backbone.body.stem.conv1.weight'], stride=2, padding=3)
    x = F.relu(norm(w, 'backbone.body.stem.bn1', x))
    x = F.max_pool2d(x, 3, stride=2, padding=1)
    for layer, stride in (('layer1', 1), ('layer2', 2), ('layer3', 2)):
        x = stage(w, f'backbone.body.{layer}', x, stride)
    return x


def conv(w, name, x, padding=0):
    return F.conv2d(x, w[f'{name}.weight'], w[f'{name}.bias'], padding=padding)


def linear(w, name, x):
    return F.linear(x, w[f'{name}.weight'], w[f'{name}.bias'])


def rpn(w, feats):
    """Logits (H, W, A), deltas (H, W, A, 4), anchors (H, W, A, 4)."""
    x = F.relu(conv(w, 'rpn.head.conv', feats, padding=1))
    logits = conv(w, 'rpn.head.cls_logits', x)[0].permute(1, 2, 0)
    deltas = conv(w, 'rpn.head.bbox_pred', x)[0].permute(1, 2, 0)
    y, x = torch.meshgrid(
        *(torch.arange(n) * 16 for n in feats.shape[-2:]), indexing='ij'
    )
    corners = torch.stack([x, y, x, y], dim=-1)
    anchors = corners[:, :, None] + w['rpn.anchor_generator.cell_anchors.0']
    return logits, deltas.unflatten(-1, (-1, 4)), anchors


def decode(deltas, boxes):
    """Decodes deltas (N, 4); the last pixel belongs to a box."""
    width = boxes[:, 2] - boxes[:, 0] + 1
    height = boxes[:, 3] - boxes[:, 1] + 1
    x = boxes[:, 0] + 0.5 * width + deltas[:, 0] * width
    y = boxes[:, 1] + 0.5 * height + deltas[:, 1] * height
    width = width * deltas[:, 2].clamp(max=4.135166556742356).exp()
    height = height * deltas[:, 3].clamp(max=4.135166556742356).exp()
    return torch.stack(
        [
            x - 0.5 * width,
            y - 0.5 * height,
            x + 0.5 * width - 1,
            y + 0.5 * height - 1,
        ],
        dim=1,
    )


def clip(boxes):
    height, width = SIZE
    high = torch.tensor([width, height, width, height]) - 1
    return boxes.clamp(min=0).minimum(high)


def area(boxes):
    return (boxes[..., 2:] - boxes[..., :2] + 1).clamp(min=0).prod(-1)


def nms(boxes, scores, threshold):
    """The kept boxes, best score first."""
    boxes = boxes[scores.argsort(descending=True)]
    common = torch.cat(
        [
            torch.maximum(boxes[:, None, :2], boxes[:, :2]),
            torch.minimum(boxes[:, None, 2:], boxes[:, 2:]),
        ],
        dim=-1,
    )
    common = area(common)
    iou = common / (area(boxes)[:, None] + area(boxes) - common)
    kept = []
    for i in range(len(boxes)):
        if not (iou[i, kept] > threshold).any():
            kept.append(i)
    return boxes[kept]


def proposals(w, feats):
    logits, deltas, anchors = (x.flatten(0, 2) for x in rpn(w, feats))
    scores, best = logits.sigmoid().topk(min(6000, len(logits)))
    boxes = clip(decode(deltas[best], anchors[best]))
    return nms(boxes, scores, 0.7)[:1000]


def interpolate(start, end, cells):
    """RoIAlign along one axis: mean weights of the cells, (14, cells)."""
    length = max(end - start, 1.0)
    grid = int(torch.tensor(length / 14).ceil())
    at = start + (torch.arange(14 * grid) + 0.5) * length / 14 / grid
    inside = (at >= -1) & (at <= cells)
    at = at.clamp(0, cells - 1)
    distance = (at[:, None] - torch.arange(cells)).abs()
    weights = (1 - distance).clamp(min=0) * inside[:, None]
    return weights.unflatten(0, (14, grid)).mean(dim=1)


def pool(feats, boxes):
    """RoIAlign 14 x 14 at stride 16, sampling ratio 0: (R, 1024, 14, 14)."""
    height, width = feats.shape[-2:]
    return torch.stack(
        [
            torch.einsum(
                'ph,chw,qw->cpq',
                interpolate(y1, y2, height),
                feats[0],
                interpolate(x1, x2, width),
            )
            for x1, y1, x2, y2 in (boxes / 16).tolist()
        ]
    )


def roi_vectors(w, feats, boxes):
    x = stage(w, f'{HEAD}.layer4', pool(feats, boxes), 2)
    return F.avg_pool2d(x, 7).flatten(1)


def assert_close(ours, theirs):
    """Asserts equality up to float precision of the largest value."""
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 2e-5 * theirs.abs().max()


# The converted model gives the same.


@pytest.fixture(scope='module')
def features(weights, image):
    with torch.no_grad():
        return backbone(weights, image)


@pytest.mark.slow
@torch.no_grad()
def test_backbone(converted, features, image):
    assert 0.1 < features.std() < 10
    (feats,) = converted[1].extract_feat(image)
    assert_close(feats, features)


@pytest.mark.slow
@torch.no_grad()
def test_rpn_by_anchor(converted, weights, features):
    logits, deltas, anchors = rpn(weights, features)
    assert anchors[0, 0].allclose(ANCHORS)
    assert anchors[2, 1, 5].tolist() == [8, 24, 39, 55]
    head = converted[1].rpn_head
    (our_logits,), (our_deltas,) = head((features,))
    ours = [
        x[0].permute(1, 2, 0).reshape(-1, n)
        for x, n in ((our_logits, 1), (our_deltas, 4))
    ]
    (priors,) = head.prior_generator.grid_priors(
        [features.shape[-2:]], device='cpu'
    )
    # Each anchor is found by its own box.
    ends = torch.tensor([0, 0, 1, 1])
    same = torch.cdist(anchors.flatten(0, 2) + ends, priors)
    distance, index = same.min(dim=1)
    assert distance.max() == 0 and len(index.unique()) == len(priors)
    assert_close(ours[0][index, 0], logits.flatten())
    assert_close(ours[1][index], deltas.flatten(0, 2))


@pytest.mark.slow
@torch.no_grad()
def test_proposals(converted, weights, features):
    theirs = proposals(weights, features)
    sample = DetDataSample(metainfo=dict(img_shape=SIZE))
    ours = converted[1].rpn_head.predict((features,), [sample])[0].bboxes
    assert len(theirs) > 50
    assert ours.shape == theirs.shape
    assert (ours - torch.tensor([0, 0, 1, 1]) - theirs).abs().max() < 0.01


@pytest.mark.slow
@torch.no_grad()
def test_roi_head_and_domain_classifiers(converted, weights, features):
    model = converted[1]
    boxes = proposals(weights, features)[:6]
    vectors = roi_vectors(weights, features, boxes)
    rois = torch.cat([torch.zeros(len(boxes), 1), boxes], dim=1)
    out = model.roi_head._bbox_forward((features,), rois)
    assert_close(out['roi_vectors'], vectors)

    scores = linear(weights, 'roi_heads.box.predictor.cls_score', vectors)
    assert_close(out['cls_score'], scores.roll(-1, dims=1))
    deltas = linear(weights, 'roi_heads.box.predictor.bbox_pred', vectors)
    assert_close(out['bbox_pred'], deltas[:, 4:])
    coder = model.roi_head.bbox_head.bbox_coder
    ends = torch.tensor([0, 0, 1, 1])
    theirs = decode(deltas[:, 8:12] / torch.tensor([10, 10, 5, 5]), boxes)
    assert_close(coder.decode(boxes + ends, deltas[:, 8:12]), theirs + ends)

    x = F.relu(conv(weights, 'da_heads.imghead.conv1_da', features))
    (image_logits,) = model.domain_neck((features,))
    assert_close(image_logits, conv(weights, 'da_heads.imghead.conv2_da', x))
    x = F.relu(linear(weights, 'da_heads.inshead.fc1_da', vectors))
    x = F.relu(linear(weights, 'da_heads.inshead.fc2_da', x))
    assert_close(
        model.instance_domain_head(vectors),
        linear(weights, 'da_heads.inshead.fc3_da', x)[:, 0],
    )


@pytest.mark.slow
def test_meta(converted):
    checkpoint, _ = converted
    meta = checkpoint['meta']
    assert tuple(meta['dataset_meta']['classes']) == CLASSES
    assert len(meta['dataset_meta']['palette']) == 8
    assert meta['source'] == 'model_final.pth'
    assert meta['source_sha256'] == checkpoint['digest']
    assert set(checkpoint) == {'state_dict', 'meta', 'digest', 'files'}
    assert checkpoint['files'] == ['out.pth']


# What else the command does. These tests read no file.


@pytest.fixture
def run(weights, tmp_path, monkeypatch):

    def run(*options, state=weights):
        monkeypatch.setattr(
            converter, 'read_checkpoint', lambda *_: dict(model=state)
        )
        monkeypatch.setattr(converter, 'file_sha256', lambda _: '')
        saved = {}
        monkeypatch.setattr(
            converter.torch,
            'save',
            lambda x, path: (saved.update(x), path.touch()),
        )
        out = tmp_path / 'out.pth'
        COMMAND['main']([str(tmp_path / 'src.pth'), str(out), *options])
        return saved['state_dict']

    return run


@pytest.mark.slow
def test_class_order(run, weights):
    order = (
        'car',
        'bicycle',
        'person',
        'rider',
        'truck',
        'bus',
        'train',
        'motorcycle',
    )
    state = run('--classes', *order)
    cls = weights['roi_heads.box.predictor.cls_score.bias']
    reg = weights['roi_heads.box.predictor.bbox_pred.weight']
    ours = state['roi_head.bbox_head.fc_cls.bias']
    assert ours.tolist() == cls[[3, 4, 1, 5, 6, 7, 8, 2, 0]].tolist()
    ours = state['roi_head.bbox_head.fc_reg.weight']
    assert ours[:4].equal(reg[12:16]) and ours[-4:].equal(reg[8:12])


@pytest.mark.slow
def test_anchor_order(run, weights):
    """A config with other anchors first gets the channels in its order."""
    sizes = [
        (22, 44),
        (44, 88),
        (88, 176),
        (176, 352),
        (352, 704),
        (46, 24),
        (92, 48),
        (184, 96),
        (368, 192),
        (736, 384),
        (32, 32),
        (64, 64),
        (128, 128),
        (256, 256),
        (512, 512),
    ]
    key = 'model.rpn_head.anchor_generator.base_sizes'
    state = run('--cfg-options', f'{key}={[sizes]}'.replace(' ', ''))
    theirs = weights['rpn.head.cls_logits.bias'].roll(5)
    assert state['rpn_head.rpn_cls.bias'].equal(theirs)
    theirs = weights['rpn.head.bbox_pred.weight'].roll(20, dims=0)
    assert state['rpn_head.rpn_reg.weight'].equal(theirs)
    sizes[0] = (22, 46)
    with pytest.raises(SystemExit, match='has other anchors than the config'):
        run('--force', '--cfg-options', f'{key}={[sizes]}'.replace(' ', ''))


@pytest.mark.slow
def test_source_only_checkpoint(run, weights, capsys):
    state = run(
        state={k: x for k, x in weights.items() if not k.startswith('da_')}
    )
    assert not [key for key in state if 'domain' in key]
    assert 'without domain classifiers' in capsys.readouterr().out


@pytest.mark.slow
def test_state_that_does_not_fit(run, weights, tmp_path):
    state = dict(weights, extra=torch.zeros(1))
    del state['rpn.head.conv.bias'], state['da_heads.inshead.fc1_da.bias']
    state['rpn.head.conv.weight'] = torch.zeros(4, 3)
    with pytest.raises(SystemExit) as error:
        run(state=state)
    message = str(error.value)
    assert (
        '2 missing: da_heads.inshead.fc1_da.bias, rpn.head.conv.bias;'
        in message
    )
    assert '1 unknown: extra;' in message
    assert (
        '1 of another shape: rpn.head.conv.weight ([4, 3] instead of '
        '[1024, 1024, 3, 3]).'
    ) in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    'classes, message',
    [
        (('person', 'dog'), '1 unknown: dog; 7 missing: bicycle, bus'),
        ((*CLASSES, 'car'), '1 repeated: car'),
    ],
)
def test_wrong_classes(run, classes, message):
    with pytest.raises(SystemExit, match=message):
        run('--classes', *classes)


def test_existing_output_is_kept(tmp_path):
    out = tmp_path / 'out.pth'
    out.write_text('precious')
    with pytest.raises(SystemExit, match='out.pth exists: give --force'):
        COMMAND['main'](['src.pth', str(out)])
    assert out.read_text() == 'precious'

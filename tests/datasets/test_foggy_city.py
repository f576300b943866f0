"""The generated pair: fog by hand, boxes, depth, files of the command."""

import json
import math

import cv2
import numpy as np
import pytest

from da_faster.datasets.foggy_city import render
from da_faster.datasets.foggy_city.canvas import FAR, Canvas
from da_faster.datasets.foggy_city.fog import (
    add_fog,
    decode,
    expose,
    ray_distance,
    transmittance,
)
from da_faster.datasets.foggy_city.geometry import (
    Camera,
    Patch,
    Pose,
    rectangle,
)
from da_faster.datasets.foggy_city.render import (
    CLASSES,
    SUPERSAMPLING,
    make_scene,
)


@pytest.fixture(scope='module')
def scenes():
    return [make_scene(3, 'source', index) for index in range(6)]


def test_fog_by_hand():
    # Half of the light is lost after ln 2 / 0.02 = 34.66 m.
    distance = np.array([[0.0, math.log(2) / 0.02], [100.0, 1e6]])
    radiance = np.full((2, 2, 3), (0.2, 0.4, 0.6))
    foggy = add_fog(radiance, distance, 0.02, (0.8, 0.8, 1.0))
    np.testing.assert_allclose(foggy[0, 0], (0.2, 0.4, 0.6))
    np.testing.assert_allclose(foggy[0, 1], (0.5, 0.6, 0.8))
    # exp(-2) = 0.135335; 0.8 - 0.6 * 0.135335 and so on.
    np.testing.assert_allclose(
        foggy[1, 0], (0.718799, 0.745866, 0.945866), atol=1e-6
    )
    np.testing.assert_allclose(foggy[1, 1], (0.8, 0.8, 1.0))


def test_distance_is_along_the_ray():
    # Focal length 2 and centre (0.5, 0.5): pixel (0, 0) looks straight ahead,
    # pixel (2, 1) along (2, 1, 2), of length 3.
    distance = ray_distance(np.full((2, 3), 10.0), 2.0, (0.5, 0.5))
    assert distance[0, 0] == pytest.approx(10)
    assert distance[1, 2] == pytest.approx(15)


@pytest.mark.parametrize('beta', [-0.01, math.nan, math.inf])
def test_impossible_fog(beta):
    with pytest.raises(ValueError, match=f'got {beta}'):
        transmittance(1.0, beta)


def test_shapes_and_types_are_checked():
    with pytest.raises(ValueError, match=r'\(2, 2\)'):
        add_fog(np.zeros((2, 3, 3)), np.zeros((2, 2)), 0.1, (1, 1, 1))
    with pytest.raises(TypeError, match='float64'):
        decode(np.zeros((2, 2, 3)))


def test_transfer_curve_returns():
    levels = np.arange(256, dtype=np.uint8)
    image = np.tile(levels[:, None, None, None], (1, 8, 8, 3))
    for flat in image[::15]:
        seen = expose(decode(flat), np.zeros(flat.shape, np.float32))
        np.testing.assert_array_equal(seen, flat)


def test_no_fog_leaves_the_image_as_it_is(scenes):
    scene = scenes[0]
    height, width = scene.noise.shape[:2]
    clear = cv2.resize(
        decode(scene.canvas), (width, height), interpolation=cv2.INTER_AREA
    )
    expected = expose(clear, scene.noise)
    np.testing.assert_array_equal(scene.photograph(0.0), expected)
    assert expected.shape == (192, 384, 3) and expected.dtype == np.uint8


def test_fog_hides_far_objects_more(scenes):
    """Contrast to the airlight falls by exp(-beta l); noise stays."""
    scene = scenes[0]
    radiance = decode(scene.canvas)
    distance = ray_distance(
        scene.depth, scene.camera.focal, scene.camera.centre
    )
    foggy = add_fog(radiance, distance, 0.04, scene.airlight)
    contrast = np.abs(radiance - scene.airlight)
    for near, far in ((5, 10), (20, 30), (50, 80)):
        ring = (distance > near) & (distance <= far)
        assert ring.any()
        left = np.abs(foggy - scene.airlight)[ring].sum()
        rest = left / contrast[ring].sum()
        assert math.exp(-0.04 * far) <= rest <= math.exp(-0.04 * near)
    # In thick fog nothing but airlight and the camera's noise is left.
    thick = scene.photograph(10.0).astype(float) / 255
    expected = np.asarray(scene.airlight) ** (1 / 2.2)
    np.testing.assert_allclose(thick.mean(axis=(0, 1)), expected, atol=0.002)
    assert thick.std(axis=(0, 1)) == pytest.approx(0.016, rel=0.05)


def test_boxes_enclose_the_visible_masks(scenes):
    total = 0
    for scene in scenes:
        height, width = scene.noise.shape[:2]
        for item in scene.instances:
            left, top, right, bottom = item.box
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            rows, columns = np.nonzero(scene.owner == item.owner)
            assert item.box == (
                columns.min() / SUPERSAMPLING,
                rows.min() / SUPERSAMPLING,
                (columns.max() + 1) / SUPERSAMPLING,
                (rows.max() + 1) / SUPERSAMPLING,
            )
            assert item.area == len(rows) / SUPERSAMPLING**2
            assert item.area >= render.MIN_VISIBLE_PIXELS
            assert 0 <= item.label < len(CLASSES)
            total += 1
    assert total > 20


def test_objects_that_are_hardly_visible_get_no_box(canvas):
    """Four pixels of the canvas are one pixel of the image."""
    regions = [
        (slice(0, 20), slice(0, 12), 240),  # fully visible, 60 pixels
        (slice(0, 14, 2), slice(20, 34, 2), 49),  # 12 pixels
        (slice(20, 40), slice(0, 12), 1300),  # 18 % visible
        (slice(40, 60), slice(0, 11), 220),  # 5.5 pixels wide
        (slice(20, 40), slice(20, 32), 1200),  # 20 % visible
    ]
    for owner, (rows, columns, _) in enumerate(regions, start=1):
        canvas.owner[rows, columns] = owner
    placed = [('bus', Pose(0.0, 9.0, 0.0, 1.5, None), None)] * len(regions)
    found = render._find_instances(
        canvas, placed, [whole for *_, whole in regions]
    )
    assert [item.owner for item in found] == [1, 5]
    assert found[0] == render.Instance(
        CLASSES.index('bus'), (0.0, 0.0, 6.0, 10.0), 60.0, 1, 9.0
    )


def test_every_class_appears():
    seen = {
        item.label
        for index in range(20)
        for item in make_scene(0, 'target', index).instances
    }
    assert seen == set(range(len(CLASSES)))


def test_depth_of_an_object_is_its_distance(scenes):
    """Pixels lie up to half a bus, 6.5 m, before or behind the centre."""
    for scene in scenes:
        for item in scene.instances:
            depth = scene.depth[scene.owner == item.owner]
            assert np.abs(depth - item.distance).max() < 6.5
    assert max(scene.depth.max() for scene in scenes) == FAR


@pytest.fixture
def canvas():
    return Canvas(Camera(80, 60, 100.0, (40.0, 20.0), 1.5))


def wall(depth, left, right, low, high, colour):
    outline = np.insert(rectangle(left, right, low, high), 2, depth, axis=1)
    return [Patch(outline.astype(float), colour)]


def test_projection_by_hand():
    camera = Camera(80, 60, 100.0, (40.0, 20.0), 1.5)
    uv = camera.project(np.array([[1.0, 0.0, 10.0], [-2.0, 1.5, 20.0]]))
    np.testing.assert_allclose(uv, [(50, 35), (30, 20)])
    with pytest.raises(ValueError, match='0.50 m ahead'):
        camera.project(np.array([[0.0, 0.0, 0.5]]))


@pytest.mark.parametrize('order', [(0, 1), (1, 0)])
def test_nearer_objects_occlude_farther_ones(canvas, order):
    walls = [
        wall(10.0, -2.0, 2.0, 0.0, 2.0, (255, 0, 0)),
        wall(5.0, -0.5, 0.5, 0.0, 1.0, (0, 255, 0)),
    ]
    for number in order:
        canvas.draw(walls[number], owner=number + 1)
    # The near wall spans u 30..50 and v 30..50, the far one 20..60, 15..35.
    assert canvas.owner[33, 40] == 2 and canvas.depth[33, 40] == 5
    assert tuple(canvas.image[33, 40]) == (0, 255, 0)
    assert canvas.owner[20, 40] == 1 and canvas.depth[20, 40] == 10
    assert canvas.owner[5, 40] == 0 and canvas.depth[5, 40] == FAR


def test_depth_of_a_slanted_face(canvas):
    """A wall at X = 2: u - 40 = 100 X / Z, so Z = 200 / (u - 40)."""
    points = np.array([(2.0, 0, 6), (2.0, 0, 30), (2.0, 3, 30), (2.0, 3, 6)])
    assert canvas.draw([Patch(points, (9, 9, 9))], owner=1) > 0
    for column in (50, 60, 70):
        assert canvas.depth[20, column] == pytest.approx(
            200 / (column + 0.5 - 40), rel=1e-3
        )


def test_sides_that_are_visible():
    """At X = 5, the back and the left side of an object are visible."""

    class Plain:
        @staticmethod
        def shade(colour, normal):
            return colour

    pose = Pose(5.0, 20.0, 0.0, 1.5, Plain)
    block = pose.block(-2, 2, 0, 3, 1, (1, 2, 3))
    normals = {
        tuple(
            np.abs(
                np.cross(p.points[1] - p.points[0], p.points[2] - p.points[0])
            ).argmax(keepdims=True)
        )
        for p in block
    }
    assert len(block) == 2 and normals == {(0,), (2,)}
    assert all(p.points[:, 0].min() == 4 for p in block)
    assert min(p.points[:, 2].min() for p in block) == 18
    square = rectangle(0, 1, 0, 1)
    assert pose.on_sides(square, 1, (0, 0, 0), sides=(1,)) == []
    assert pose.on_end(square, 2, (0, 0, 0)) == []
    assert len(pose.on_end(square, -2, (0, 0, 0))) == 1


def test_scenes_follow_from_seed_split_and_index():
    size = (128, 64)
    first = make_scene(1, 'source', 2, size).photograph()
    np.testing.assert_array_equal(
        make_scene(1, 'source', 2, size).photograph(), first
    )
    for other in ((0, 'source', 2), (1, 'target', 2), (1, 'source', 3)):
        assert (make_scene(*other, size).photograph() != first).any()


@pytest.mark.parametrize(
    'arguments, part',
    [
        ((0, 'train', 0), "got 'train'"),
        ((-1, 'source', 0), 'got -1 and 0'),
        ((0, 'source', -2), 'got 0 and -2'),
        ((0, 'source', 0, (20, 300)), r'got \(20, 300\)'),
    ],
)
def test_impossible_scenes(arguments, part):
    with pytest.raises(ValueError, match=part):
        make_scene(*arguments)


@pytest.fixture
def convert(command, tmp_path):
    """Runs the command, and returns the output folder."""

    def run(*options, out=tmp_path / 'out' / 'city2foggy'):
        command(
            'dataset_converters/city2foggy.py',
            '--out',
            out,
            '--num-source',
            3,
            '--num-target',
            2,
            '--num-test',
            2,
            '--size',
            192,
            96,
            '--nproc',
            1,
            *options,
        )
        return out

    return run


def fingerprints(out):
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob('*')
        if path.is_file()
    }


def test_files(convert, capsys):
    out = convert()
    counts = dict(source=3, target=2, target_test=2, source_test=2)
    for folder, count in counts.items():
        assert sorted(path.name for path in (out / folder).iterdir()) == [
            f'{index:06d}.png' for index in range(count)
        ]
    report = capsys.readouterr().out
    parts = dict(
        source_train='source',
        target_train='target',
        target_test='target_test',
        source_test='source_test',
    )
    for part, folder in parts.items():
        coco = json.loads((out / 'annotations' / f'{part}.json').read_text())
        assert [item['name'] for item in coco['categories']] == list(CLASSES)
        assert len(coco['images']) == counts[folder]
        assert (
            len({box['id'] for box in coco['annotations']})
            == len(coco['annotations'])
            > 0
        )
        for image in coco['images']:
            pixels = cv2.imread(str(out / folder / image['file_name']))
            assert pixels.shape == (image['height'], image['width'], 3)
        assert f'{part}: {counts[folder]} images' in report
    scene = make_scene(0, 'source', 1, (192, 96))
    written = cv2.imread(str(out / 'source' / '000001.png'))[..., ::-1]
    np.testing.assert_array_equal(written, scene.photograph(0.0))
    coco = json.loads((out / 'annotations/source_train.json').read_text())
    boxes = [
        (item['category_id'] - 1, *item['bbox'])
        for item in coco['annotations']
        if item['image_id'] == 1
    ]
    assert boxes == [
        (
            item.label,
            *item.box[:2],
            item.box[2] - item.box[0],
            item.box[3] - item.box[1],
        )
        for item in scene.instances
    ]


def test_the_tests_differ_by_the_fog_alone(convert):
    out = convert('--beta', '0.03')
    scene = make_scene(0, 'test', 1, (192, 96))
    for folder, beta in (('source_test', 0.0), ('target_test', 0.03)):
        written = cv2.imread(str(out / folder / '000001.png'))[..., ::-1]
        np.testing.assert_array_equal(written, scene.photograph(beta))
    source, target = (
        json.loads((out / 'annotations' / f'{name}_test.json').read_text())
        for name in ('source', 'target')
    )
    assert source['annotations'] == target['annotations']
    assert (source['info']['beta'], target['info']['beta']) == (0.0, 0.03)


def test_same_bytes_for_any_number_of_processes(convert, tmp_path):
    first = fingerprints(convert())
    cv2.setNumThreads(2)
    assert fingerprints(convert('--nproc', '2', out=tmp_path / 'two')) == first
    # A pool of OpenCV threads that lives across the fork may stall it.
    assert cv2.getNumThreads() == 1
    other = fingerprints(convert('--seed', '1', out=tmp_path / 'other'))
    assert other.keys() == first.keys()
    assert all(other[name] != first[name] for name in first)


def test_nothing_is_overwritten_unasked(convert, monkeypatch):
    out = convert()
    before = fingerprints(out)
    with pytest.raises(SystemExit, match='exists'):
        convert('--seed', '1')
    assert fingerprints(out) == before
    assert fingerprints(convert('--seed', '1', '--force')) != before
    # A failure leaves the earlier dataset and nothing beside it.
    before = fingerprints(out)

    def fail(task):
        raise OSError('disk full')

    monkeypatch.setattr(
        'da_faster.data_conversion.city2foggy.write_scene', fail
    )
    with pytest.raises(SystemExit, match='disk full'):
        convert('--force')
    assert fingerprints(out) == before
    assert [path.name for path in out.parent.iterdir()] == [out.name]


@pytest.mark.parametrize(
    'option, values',
    [
        ('--beta', ['-1']),
        ('--num-source', ['0']),
        ('--nproc', ['0']),
        ('--seed', ['-1']),
        ('--size', ['40', '96']),
    ],
)
def test_impossible_arguments(convert, option, values):
    with pytest.raises(SystemExit, match=f'{option} must .*{values[0]}'):
        convert(option, *values)

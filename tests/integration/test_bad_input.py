"""The table of docs/robustness.md: what odd or broken input leads to."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import LoadImageFromFile
from mmdet.datasets.transforms import Resize
from PIL import Image

from launching import call, derive, evaluate, fork, train

rng = np.random.default_rng(0)
GREY = rng.integers(0, 255, (40, 60), dtype=np.uint8)
COLOUR = rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)


def rotated(path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees to the right
    Image.fromarray(COLOUR).save(path, exif=exif)


# Writers of images, and the (height, width) that a detector is shown.
ODD = {
    'grey.png': (lambda p: cv2.imwrite(p, GREY), (40, 60)),
    'sixteen_bit.png': (
        lambda p: cv2.imwrite(p, GREY.astype(np.uint16) * 256),
        (40, 60),
    ),
    'rgba.png': (
        lambda p: Image.fromarray(np.dstack([COLOUR, GREY])).save(p),
        (40, 60),
    ),
    'cmyk.jpg': (
        lambda p: Image.fromarray(COLOUR).convert('CMYK').save(p),
        (40, 60),
    ),
    'turned.jpg': (rotated, (60, 40)),
    'one_pixel.png': (lambda p: cv2.imwrite(p, GREY[:1, :1]), (1, 1)),
    'täßt 图像.png': (lambda p: cv2.imwrite(p, COLOUR), (40, 60)),
}


def loaded(path) -> dict:
    return LoadImageFromFile()(dict(img_path=str(path)))


@pytest.mark.parametrize('name', ODD)
def test_odd_images_are_loaded_as_8_bit_colour(tmp_path, name):
    write, shape = ODD[name]
    write(str(tmp_path / name))
    result = loaded(tmp_path / name)
    assert result['img'].shape == (*shape, 3)
    assert result['img'].dtype == np.uint8
    if 'grey' in name or 'sixteen' in name:
        assert (result['img'] == GREY[..., None]).all()


@pytest.mark.slow
def test_an_image_of_100_megapixels(tmp_path):
    path = str(tmp_path / 'x.png')
    assert cv2.imwrite(path, np.zeros((9000, 12000), np.uint8))
    result = Resize(scale=(1333, 800), keep_ratio=True)(loaded(path))
    assert result['img'].shape == (800, 1067, 3)


@pytest.mark.slow
def test_odd_target_images_are_trained_on(tiny_config, tmp_path):
    (tmp_path / 'odd').mkdir()
    for name, (write, _) in ODD.items():
        write(str(tmp_path / 'odd' / name))
    lines = train(
        tiny_config,
        tmp_path / 'run',
        train_cfg__target_dataloader__dataset__data_root='',
        train_cfg__target_dataloader__dataset__data_prefix__img=tmp_path
        / 'odd',
        train_cfg__val_begin=100,
    )
    assert {i for line in lines for i in line['target']} == set(range(7))


@pytest.mark.slow
@pytest.mark.parametrize('workers', [0, 1])
@pytest.mark.parametrize('content', [b'no image', None])
def test_a_bad_image_in_the_middle_of_an_epoch(
    tiny_data, tiny_config, tmp_path, content, workers
):
    shutil.copytree(tiny_data / 'target', tmp_path / 'target')
    bad = tmp_path / 'target/target_5.png'
    config = derive(
        tiny_config,
        tmp_path,
        f"""
custom_hooks = _base_.custom_hooks + [
    dict(type='Replace', path={str(bad)!r}, content={content!r})]""",
    )
    with pytest.raises(SystemExit) as stop:
        train(
            config,
            tmp_path / 'run',
            train_dataloader__num_workers=workers,
            train_cfg__target_dataloader__num_workers=workers,
            train_cfg__target_dataloader__dataset__data_root=tmp_path,
        )
    sentence = str(stop.value)
    assert sentence.startswith(f'{bad} could not be loaded (')
    assert sentence.endswith(
        'repair the image, its annotation or the pipeline, or take it out of '
        'the data, then start again, with --resume auto where there is a '
        'checkpoint.'
    )
    assert '\n' not in sentence


@pytest.mark.slow
@pytest.mark.parametrize('number', [1, 3])
def test_a_target_smaller_than_a_batch(
    tiny_data, tiny_config, tmp_path, number
):
    coco = json.loads((tiny_data / 'target.json').read_text())
    coco['images'] = coco['images'][:number]
    (tmp_path / 'few.json').write_text(json.dumps(coco))
    lines = train(
        tiny_config,
        tmp_path,
        train_cfg__max_iters=3,
        train_cfg__val_begin=100,
        train_cfg__target_dataloader__batch_size=4,
        train_cfg__target_dataloader__dataset__ann_file=tmp_path / 'few.json',
    )
    assert [len(line['target']) for line in lines] == [4] * 3
    assert {i for line in lines for i in line['target']} == set(range(number))


@pytest.fixture(scope='module')
def trained(tiny_config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('trained')
    assert fork(train, tiny_config, work_dir, train_cfg__max_iters=3) == 0
    return work_dir


@pytest.mark.slow
def test_a_checkpoint_of_another_detector(trained, tiny_config, tmp_path):
    config = derive(
        tiny_config, tmp_path, 'model = dict(rpn_head=dict(feat_channels=16))'
    )
    checkpoint = trained / 'iter_3.pth'
    with pytest.raises(SystemExit, match='does not fit the config: '):
        evaluate(config, checkpoint, tmp_path / 'test')
    with pytest.raises(SystemExit, match='does not fit the config: '):
        train(config, tmp_path / 'run', '--resume', checkpoint)
    # As initial weights, what fits is taken.
    train(
        config, tmp_path / 'run', load_from=checkpoint, train_cfg__max_iters=1
    )


@pytest.mark.slow
def test_an_adapted_config_tests_a_plain_checkpoint(
    trained, tiny_config, tmp_path
):
    checkpoint = torch.load(trained / 'iter_3.pth', weights_only=False)
    weights = {
        k: v
        for k, v in checkpoint['state_dict'].items()
        if not k.startswith(('domain_neck', 'instance_domain_head'))
    }
    torch.save(dict(state_dict=weights), tmp_path / 'x.pth')
    evaluate(tiny_config, tmp_path / 'x.pth', tmp_path / 'test')


class Evil:
    """Makes a folder when it is loaded."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.mkdir, (self.folder,)


@pytest.mark.slow
@pytest.mark.parametrize(
    'tool, args',
    [
        ('train', ('--resume', 'EVIL')),
        ('train', ('--cfg-options', 'load_from=EVIL')),
        ('test', ('EVIL',)),
    ],
)
def test_a_checkpoint_with_code(tiny_config, tmp_path, tool, args):
    evil = tmp_path / 'evil.pth'
    torch.save(dict(state_dict={}, meta=Evil(str(tmp_path / 'ran'))), evil)
    args = [arg.replace('EVIL', str(evil)) for arg in args]
    with pytest.raises(SystemExit, match='give --trust-checkpoint'):
        call(
            f'{tool}.py',
            tiny_config,
            *args[: tool == 'test'],
            '--work-dir',
            tmp_path / 'run',
            *args[tool == 'test' :],
            unique=False,
        )
    assert not (tmp_path / 'ran').exists()

"""tools/adapt.py and tools/pseudo_label.py."""

import json
import re
import shutil

import pytest
import torch
from mmengine.config import Config

from da_faster.adaptation.export import blended
from da_faster.adaptation.work_dir import WorkDir
from da_faster.detectors import Detector, predict_sample
from da_faster.errors import UserError
from da_faster.listing import choose_evenly

QUICK = [
    '--cfg-options',
    'model.pseudo_labels.threshold=0.2',
    'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False',
    'default_hooks.checkpoint.interval=1',
    'default_hooks.checkpoint.max_keep_ckpts=-1',
]


@pytest.mark.slow
def test_measured_before_and_after(
    detector, tiny_data, tmp_path, command, capsys
):
    work_dir = tmp_path / 'run'
    name = ['experiment_name=adapt_command']
    command(
        'adapt.py', *detector, '--target', tiny_data / 'test', '--iters', 2,
        '--work-dir', work_dir, '--test-labels', tiny_data / 'test.json',
        *QUICK, *name,
    )  # fmt: skip
    said = capsys.readouterr().out
    for line in (
        'scores: a softmax; confident from 0.2, uncertain from 0.3',
        "weight of the teacher's labels: 1.0",
        'adapted.pth: 25% of the way to the teacher',
    ):
        assert line in said
    assert re.search(r'learning rate: .* \(0\.1 of ', said)
    assert '| confident detections an image |' in said
    assert 'coco/bbox_mAP_50: ' in said
    assert 'do not match exactly' not in said  # MMEngine, of missing weights
    assert said.rstrip().endswith('adapted.py')
    # What is exported lies on the way to the teacher, and was measured.
    came, learned, out = (
        torch.load(work_dir / name, weights_only=False)['state_dict']
        for name in ('start.pth', 'iter_2.pth', 'adapted.pth')
    )
    key = 'roi_head.bbox_head.fc_cls.weight'
    assert not torch.equal(came[key], learned[f'teacher.{key}'])
    assert torch.allclose(
        out[key],
        (3 * came[key] + learned[f'teacher.{key}']) / 4,
        atol=1e-7,
    )
    with pytest.raises(SystemExit, match='has an adaptation already'):
        command('adapt.py', *detector, '--target', tiny_data / 'test',
                '--work-dir', work_dir)  # fmt: skip


@pytest.mark.slow
def test_a_few_labels_resume_exactly(
    detector, tiny_data, tmp_path, command, capsys
):
    """MMDetection's sampler of several sets has no memory of its own."""
    few = json.loads((tiny_data / 'target.json').read_text())
    few['images'] = few['images'][:3]
    ids = {image['id'] for image in few['images']}
    few['annotations'] = [
        a for a in few['annotations'] if a['image_id'] in ids
    ]
    labels = tmp_path / 'few.json'
    labels.write_text(json.dumps(few))
    whole, part = tmp_path / 'whole', tmp_path / 'part'
    command(
        'adapt.py', *detector, '--target', tiny_data / 'target', '--source',
        '--target-labels', labels, '--iters', 4, '--work-dir', whole,
        *QUICK, 'train_cfg.target_dataloader.num_workers=0',
        'train_cfg.target_dataloader.persistent_workers=False',
        'experiment_name=few_whole',
    )  # fmt: skip
    said = capsys.readouterr().out
    assert "weight of the teacher's labels: 0.25" in said
    assert 'adapted.pth: 100% of the way to the teacher' in said
    assert re.search(r'learning rate: .* \(0\.3 of ', said)
    part.mkdir()
    for name in ('start.py', 'start.pth', 'iter_2.pth', 'iter_2.pth.sha256'):
        shutil.copy(whole / name, part)
    text = (whole / 'adapt.py').read_text()
    (part / 'adapt.py').write_text(text.replace('few_whole', 'few_part'))
    (part / 'last_checkpoint').write_text(str(part / 'iter_2.pth'))
    command('adapt.py', *detector, '--target', tiny_data / 'target',
            '--work-dir', part, '--resume')  # fmt: skip
    assert 'from its own labels alone' not in capsys.readouterr().out
    ours, theirs = (
        torch.load(run / 'iter_4.pth', weights_only=False)['state_dict']
        for run in (whole, part)
    )
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())


def other_classes(config, checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=False)
    name = 'roi_head.bbox_head.fc_cls.weight'
    content['state_dict'][name] = torch.zeros(7, 32)
    torch.save(content, tmp_path / 'other.pth')
    return config, tmp_path / 'other.pth'


def named(checkpoint, tmp_path, name):
    """Copies a checkpoint; the copy names another class."""
    content = torch.load(checkpoint, weights_only=False)
    content['meta'] = dict(dataset_meta=dict(classes=(name,)))
    torch.save(content, tmp_path / 'named.pth')
    return tmp_path / 'named.pth'


def test_errors_are_one_sentence(detector, target, tmp_path, command):
    config, checkpoint = detector
    empty = tmp_path / 'empty'
    empty.mkdir()
    work_dir = tmp_path / 'run'
    other = other_classes(config, checkpoint, tmp_path)
    for given, sentence in (
        ([*detector, '--target', empty], 'no image found in'),
        ([*detector, '--target', tmp_path / 'none'], 'is not a folder'),
        ([*other, '--target', target], 'does not fit the config'),
        ([config, tmp_path / 'no.pth', '--target', target], 'does not exist'),
        (
            [*detector, '--target', target, '--iters', 0],
            'a whole number',
        ),
        ([*detector, '--target', target, '--blend', 1.5], 'between 0 and 1'),
        ([*detector, '--target', target, '--resume'], 'leave --resume out'),
        (['mmdet::no/such', checkpoint, '--target', target], 'carries no'),
        (
            [*detector, '--target', target, '--cfg-options', 'max_iters=9'],
            'max_iters has no effect',
        ),
        (
            [config, named(checkpoint, tmp_path, 'x'), '--target', target],
            'was trained on the classes x, ',
        ),
    ):
        with pytest.raises(SystemExit, match=sentence):
            command('adapt.py', *given, '--work-dir', work_dir)
        assert not (work_dir / 'adapt.py').exists()
        assert not (work_dir / 'start.pth').exists()


@pytest.mark.parametrize(
    'option, sentence',
    [
        ('model.pseudo_labels.thresold=0.2', "argument 'thresold'"),
        ('optim_wrapper.optimizer.lr=abc', 'nothing can be built of it'),
        ('custom_hooks.0.restore_rate=None', 'nothing can be built of it'),
        ('custom_hooks=[]', 'leave SelfTrainingHook and train_cfg in'),
        ('train_cfg=None', 'leave SelfTrainingHook and train_cfg in'),
        (
            'model.detector.roi_head.bbox_head.fc_out_channels=8',
            'options change . weights of the detector',
        ),
        ('train_cfg.max_iters=None', 'a whole number from 1, got None'),
        ('train_cfg.max_iters=0', 'a whole number from 1, got 0'),
        ('default_hooks.checkpoint.save_last=False', 'leave default_hooks'),
        (
            'visualizer.vis_backends.0.type=NoBackend',
            'NoBackend is not a backend',
        ),
        ('load_from=other.pth', 'leave load_from as it is'),
        ('load_from=None', 'leave load_from as it is'),
        ('train_cfg.type=DALoop', 'leave train_cfg.type as it is'),
        ('adaptation.checkpoint=x', 'leave adaptation.checkpoint as it is'),
        ('adaptation.foo=3', 'leave adaptation.foo as it is'),
        ('adaptation=3', 'leave adaptation as it is'),
        ('resume=True', 'give --resume, not resume in'),
        ('work_dir=elsewhere', 'give --work-dir, not work_dir in'),
        (
            'default_hooks.checkpoint.save_best=coco/nothing',
            'nothing can be built of it: ValueError: Cannot infer the rule',
        ),
        (
            'train_dataloader.dataset.pipeline.1.type=NoTransform',
            'nothing can be built of it: KeyError',
        ),
        ('test_dataloader=None', 'leave test_dataloader, test_evaluator, te'),
        ('test_evaluator=None', 'leave test_dataloader, test_evaluator, te'),
        (
            'test_dataloader.dataset.pipeline.1.scale=abc',
            'with these options cannot look at .*Scale must be a number',
        ),
        ('optim_wrapper.optimizer.lr=1e38', 'not finite'),  # in the training
    ],
)
def test_a_wrong_option_can_be_mended(
    detector, target, tmp_path, command, option, sentence
):
    """The command leaves no adaptation behind that must be resumed."""
    work_dir = tmp_path / 'run'
    with pytest.raises(SystemExit, match=sentence):
        command(
            'adapt.py', *detector, '--target', target, '--work-dir', work_dir,
            *QUICK, 'default_hooks.checkpoint.interval=100', option,
        )  # fmt: skip
    for name in ('adapt.py', 'start.pth', 'start.py'):
        assert not (work_dir / name).exists()


@pytest.mark.slow
def test_what_is_exported_is_what_was_trained_and_measured(
    detector, tiny_data, target, tmp_path, command, monkeypatch
):
    """Options may change more of a detector than its weights.

    What it was before, no option changes.
    """
    run = tmp_path / 'run'
    measured = []

    def test(config, checkpoint, work_dir):
        # No Runner writes over a config, of the adaptation or another.
        assert config.filename is None
        original = str(checkpoint).endswith('start.pth')
        assert (work_dir != str(run)) == original
        cfg = config
        detector = cfg.model.get('detector', cfg.model)
        mean = detector.data_preprocessor.mean
        scale = cfg.test_dataloader.dataset.pipeline[1].scale
        measured.append((cfg.model.type, mean == [1, 2, 3], scale))
        return {}

    monkeypatch.setattr('da_faster.adaptation.command.test', test)
    command(
        'adapt.py', *detector, '--target', target, '--iters', 1,
        '--test-labels', tiny_data / 'test.json',
        '--test-images', tiny_data / 'test',
        '--work-dir', run, *QUICK,
        'model.detector.data_preprocessor.mean=[1,2,3]',
        'model.detector.test_cfg.rcnn.max_per_img=7',
        'test_dataloader.dataset.pipeline.1.scale=(48,48)',
    )  # fmt: skip
    came, adapted = (
        Config.fromfile(run / f'{name}.py') for name in ('start', 'adapted')
    )
    assert came.model.data_preprocessor.mean != [1, 2, 3]
    assert adapted.model.data_preprocessor.mean == [1, 2, 3]
    assert adapted.model.test_cfg.rcnn.max_per_img == 7
    loaded, resized, *_ = adapted.test_dataloader.dataset.pipeline
    assert resized.scale == (48, 48)
    scale = came.test_dataloader.dataset.pipeline[1].scale
    assert measured == [
        (came.model.type, False, scale),
        ('MeanTeacher', True, (48, 48)),
    ]
    adapted = Detector.read(str(run / 'adapted.py'), run / 'adapted.pth')
    model = adapted.open()
    image = next(target.iterdir())
    assert max(predict_sample(model, str(image)).img_shape) == 48


@pytest.mark.parametrize('resume', [[], ['--resume']])
def test_killed_at_its_beginning(detector, target, tmp_path, command, resume):
    """An empty adapt.py is no adaptation: the sentence names the files."""
    work_dir = tmp_path / 'run'
    work_dir.mkdir()
    for name in ('adapt.py', 'start.pth', 'start.py'):
        (work_dir / name).touch()
    with pytest.raises(SystemExit, match='remove adapt.py, start.pth and st'):
        command('adapt.py', *detector, '--target', target,
                '--work-dir', work_dir, *resume)  # fmt: skip


def test_what_is_in_the_work_dir_stays(detector, target, tmp_path, command):
    """Files of another training stay, and any other file."""
    config, checkpoint = detector
    for name, sentence in (
        ('start.pth', 'start.pth would be overwritten'),
        ('adapted.py', 'adapted.py would be overwritten'),
        ('iter_4.pth', 'has checkpoints of another training'),
    ):
        folder = tmp_path / name.replace('.', '_')
        folder.mkdir()
        (folder / name).write_bytes(checkpoint.read_bytes())
        with pytest.raises(SystemExit, match=sentence):
            command('adapt.py', config, folder / name, '--target', target,
                    '--work-dir', folder)  # fmt: skip
        assert [path.name for path in folder.iterdir()] == [name]
        assert (folder / name).read_bytes() == checkpoint.read_bytes()


def test_of_two_commands_one_gets_the_folder(tmp_path):
    files = WorkDir(tmp_path)
    with files.reserved():
        files.start.touch()
        with pytest.raises(UserError, match='has an adaptation already'):
            with WorkDir(tmp_path).reserved():
                pass
    assert files.start.exists()
    with pytest.raises(KeyboardInterrupt):
        with WorkDir(tmp_path / 'new').reserved():
            raise KeyboardInterrupt
    assert not list((tmp_path / 'new').iterdir())


def test_a_broken_image_is_found_at_the_start(
    detector, target, tmp_path, command, capsys
):
    image = sorted(target.iterdir())[-1]
    image.write_bytes(image.read_bytes()[:300])
    with pytest.raises(
        SystemExit, match=f'(?s){image.name}.*see above; nothing'
    ):
        command('adapt.py', *detector, '--target', target,
                '--work-dir', tmp_path / 'run')  # fmt: skip
    assert not (tmp_path / 'run').exists()


def test_a_work_dir_that_cannot_be_made(detector, target, tmp_path, command):
    (tmp_path / 'file').touch()
    with pytest.raises(SystemExit, match='run cannot be made'):
        command('adapt.py', *detector, '--target', target,
                '--work-dir', tmp_path / 'file/run')  # fmt: skip


def test_weights_without_names_are_of_the_config_s_classes(
    detector, target, tmp_path
):
    """MMDetection would call them COCO's."""
    config, checkpoint = detector
    content = torch.load(checkpoint, weights_only=False)
    torch.save(content['state_dict'], tmp_path / 'bare.pth')
    model = Detector.read(str(config), str(tmp_path / 'bare.pth')).open()
    assert model.dataset_meta['classes'] == ('box',)


def test_a_download_runs_no_code(detector, tmp_path, monkeypatch):
    config, _ = detector

    class Code:
        def __reduce__(self):
            return (tmp_path / 'ran').touch, ()

    torch.save(dict(state_dict=Code()), tmp_path / 'code.pth')
    monkeypatch.setattr(torch.hub, '_hub_dir', str(tmp_path / 'hub'))
    url = (tmp_path / 'code.pth').as_uri()
    with pytest.raises(UserError, match='holds more than'):
        Detector.read(str(config), url).open()
    assert list((tmp_path / 'hub/checkpoints').glob('code-*.pth'))
    assert not (tmp_path / 'ran').exists()


def test_blending(tmp_path):
    file = tmp_path / 'start.pth'
    torch.save(
        dict(state_dict=dict(w=torch.tensor([0.0, 4.0]), n=torch.tensor(1))),
        file,
    )
    adapted = dict(w=torch.tensor([8.0, 0.0]), n=torch.tensor(5))
    half = blended(file, 0.25, adapted)
    assert half['w'].tolist() == [2, 3]
    assert half['n'] == 5
    assert torch.equal(blended(file, 1, adapted)['w'], adapted['w'])


def test_blending_from_half_precision(tmp_path):
    file = tmp_path / 'start.pth'
    start = dict(w=torch.tensor([0.0, 4.0], dtype=torch.half))
    torch.save(dict(state_dict=start), file)
    half = blended(file, 0.5, dict(w=torch.tensor([8.0, 0.0])))
    assert half['w'].dtype == torch.float32
    assert half['w'].tolist() == [4, 2]


def test_images_are_spread_over_the_folder():
    assert choose_evenly(list('abcdefg'), 3) == ['a', 'c', 'e']
    assert choose_evenly(list('ab'), 3) == ['a', 'b']


def test_an_interrupt_says_how_to_go_on(command, monkeypatch, capsys):
    def adapt(**given):
        raise KeyboardInterrupt

    monkeypatch.setattr('da_faster.adaptation.adapt', adapt)
    with pytest.raises(SystemExit) as end:
        command('adapt.py', 'x.py', 'x.pth', '--target', 'y')
    assert end.value.code == 130
    assert '--resume continues' in capsys.readouterr().err


def test_offline_labels(detector, target, tmp_path, command, capsys):
    out = tmp_path / 'labels.json'
    given = [*detector, target, '--out', out, '--threshold', 0.2]
    command('pseudo_label.py', *given)
    content = json.loads(out.read_text())
    assert f'{out}: 3 images' in capsys.readouterr().out
    made = content['info']['pseudo_labels']
    assert made['threshold'] == 0.2
    assert len(made['sha256']) == 64
    assert [c['name'] for c in content['categories']] == ['box']
    assert {i['file_name'] for i in content['images']} == {
        path.name for path in target.iterdir()
    }
    assert all(a['score'] >= 0.2 for a in content['annotations'])
    assert [a['id'] for a in content['annotations']] == list(
        range(1, len(content['annotations']) + 1)
    )
    with pytest.raises(SystemExit, match='give --force'):
        command('pseudo_label.py', *given)
    # A detector in use shows less.
    cfg = Config.fromfile(detector[0])
    cfg.model.test_cfg.rcnn.score_thr = 0.9
    cfg.dump(tmp_path / 'confident.py')
    again = tmp_path / 'again.json'
    command('pseudo_label.py', tmp_path / 'confident.py', detector[1], target,
            '--out', again, '--threshold', 0.2)  # fmt: skip
    assert (
        json.loads(again.read_text())['annotations'] == content['annotations']
    )
    for bad, sentence in (
        (tmp_path, 'takes the name of a .json file'),
        (out / 'below_a_file.json', 'cannot be made'),
    ):
        with pytest.raises(SystemExit, match=sentence):
            command('pseudo_label.py', *detector, target, '--out', bad)
    with pytest.raises(SystemExit, match='finds nothing in'):
        command('pseudo_label.py', *detector, target, '--out',
                tmp_path / 'x.json', '--threshold', 0.99)  # fmt: skip
    assert not (tmp_path / 'x.json').exists()

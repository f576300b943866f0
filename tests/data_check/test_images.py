"""Image files: broken ones, copies, sizes."""

import pytest
from PIL import Image

from checking import SIZE, coco, image, only, put
from da_faster.data_check import check


def test_full_check_reads_the_images(data, capsys, tmp_path):

    def full():
        return check(data, read_images=True, nproc=2).findings

    assert full() == []
    copy = tmp_path / 'target/target1.png'
    whole = copy.read_bytes()
    copy.write_bytes((tmp_path / 'source/source2.png').read_bytes())
    (finding,) = full()
    assert not finding.fatal
    assert 'share 1 images by content' in finding.text
    copy.write_bytes(whole[:45])
    (finding,) = full()
    assert finding.fatal and '1 of 3 images are broken' in finding.text
    (tmp_path / 'target/target0.png').write_bytes(b'')
    (finding,) = full()
    for part in ('2 of 3 images', 'target0.png (', 'target1.png ('):
        assert part in finding.text
    (tmp_path / 'target/target2.png').write_bytes(b'')
    (finding,) = full()  # all of them: then one tells as much
    assert '3 of 3 images are broken: e.g. ./target/target0' in finding.text
    for i in range(3):
        image(tmp_path / f'target/target{i}.png', (80, 9 * i, 0))
    Image.new('RGB', (10, 20)).save('test/test0.png')
    (finding,) = full()
    assert finding.fatal and 'test0.png is 10x20, not 20x10' in finding.text


@pytest.mark.parametrize('full', [False, True])
def test_images_that_exif_turns(data, full):
    """The size of the image as training loads it counts."""
    exif = Image.Exif()
    exif[0x0112] = 6
    content = coco('source', 3)
    for entry in content['images']:
        entry['file_name'] = entry['file_name'].replace('png', 'jpg')
        Image.new('RGB', SIZE, (entry['id'], 0, 0)).save(
            f'source/{entry["file_name"]}', exif=exif
        )

    def found():
        return check(data, read_images=full, nproc=1).findings

    put('source', content)  # labelled on the stored pixels, 20x10
    (finding,) = found()
    assert finding.fatal
    assert '3 of 3 images have another size' in finding.text
    assert 'source0.jpg is 10x20, not 20x10: its EXIF orien' in finding.text
    # The sizes are right if the pipeline ignores the EXIF orientation.
    data.train_dataloader.dataset.pipeline = [
        dict(type='LoadImageFromFile', color_type='color_ignore_orientation')
    ]
    (finding,) = found()
    assert not finding.fatal
    data.train_dataloader.dataset.pipeline = []
    for entry in content['images']:
        entry.update(width=10, height=20)
    put('source', content)
    (finding,) = found()
    assert not finding.fatal
    assert '3 of 3 images have an EXIF orientation, e.g. ' in finding.text
    assert 'browse_domains.py' in finding.text


def test_the_quick_check_reads_some_headers(data):
    Image.new('RGB', (10, 20)).save('test/test0.png')
    only(data, True, 'test0.png is 10x20, not 20x10: give the images that')

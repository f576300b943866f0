"""Helpers of the tests of the data check."""

import json
from pathlib import Path

from PIL import Image

from da_faster.data_check import check

SIZE = (20, 10)


def image(path, colour) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', SIZE, colour).save(path)


def coco(role, count, **changes) -> dict:
    return dict(
        dict(
            images=[
                dict(id=i, file_name=f'{role}{i}.png', width=20, height=10)
                for i in range(count)
            ],
            annotations=[
                dict(
                    id=i + 1,
                    image_id=i,
                    category_id=i % 2 + 1,
                    bbox=[1, 2, 6, 5],
                    area=30,
                    iscrowd=0,
                )
                for i in range(count)
            ],
            categories=[dict(id=1, name='cat'), dict(id=2, name='dog')],
        ),
        **changes,
    )


def put(role, content) -> None:
    Path(f'{role}.json').write_text(json.dumps(content))


def find(cfg) -> list:
    return check(cfg).findings


def only(cfg, fatal, *parts) -> None:
    """Checks that there is this finding and no other one."""
    (finding,) = find(cfg)
    assert finding.fatal == fatal, finding.text
    for part in parts:
        assert part in finding.text
    assert '\n' not in finding.text


def only_in_source(
    cfg, content, fatal, parts, *, also: str | None = None
) -> None:
    """Checks that this content of source.json gives this finding.

    Args:
        also: Part of a second finding that may be there.
    """
    put('source', content)
    found = find(cfg)
    if also:
        found = [f for f in found if also not in f.text]
    (finding,) = found
    assert finding.fatal == fatal, finding.text
    for part in ('source.json', *parts):
        assert part in finding.text
    assert '\n' not in finding.text


CAT, DOG = dict(id=1, name='cat'), dict(id=2, name='dog')


def boxes(*changes) -> list:
    """Makes annotations of cat, dog, cat, cat, dog; changes the first ones."""
    items = coco('source', 3)['annotations']
    items += [dict(items[0], id=4), dict(items[1], id=5)]
    for item, change in zip(items, changes):
        item.update(change)
    return items


def by_detector(content) -> dict:
    """Marks labels as tools/pseudo_label.py does."""
    return dict(content, info=dict(pseudo_labels=dict(threshold=0.5)))

"""Adapts a detector to a folder of unlabelled images.

    python tools/adapt.py CONFIG CHECKPOINT --target FOLDER

takes any MMDetection config and its checkpoint. It trains on the folder's
images with labels that the detector makes itself. It writes adapted.pth and
adapted.py for stock MMDetection into the work dir. With --source it trains on
the config's own training data, too, which is safer. The original checkpoint
is not changed.
"""

import sys
from argparse import Namespace
from collections.abc import Sequence

from da_faster_options import CommandParser, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    parser.add_detector()
    add(
        '--target',
        required=True,
        metavar='FOLDER',
        help='the unlabelled images',
    )
    add(
        '--source',
        action='store_true',
        help="train on the config's own training data, too",
    )
    add(
        '--work-dir',
        help='folder to write (default: work_dirs/CONFIG_to_FOLDER)',
    )
    add('--iters', type=int, default=600, help='iterations (default: 600)')
    add(
        '--test-labels',
        metavar='FILE',
        help='COCO json of labelled target images: measure AP before and '
        'after',
    )
    add(
        '--test-images',
        metavar='FOLDER',
        help='folder that the file names of --test-labels are relative to '
        '(default: --target)',
    )
    add(
        '--target-labels',
        metavar='FILE',
        help='COCO json of a few labelled images of --target: train on them, '
        'too',
    )
    add(
        '--share',
        type=float,
        help='with --source: fraction of the labelled images in a batch that '
        'come from --target-labels (default: 0.5); the batch grows where it '
        'must',
    )
    add(
        '--blend',
        type=float,
        help='weight of the learned weights in adapted.pth, beside the '
        'original ones, 0 to 1 (default: 0.25; with --source 0.5, with '
        '--target-labels 1)',
    )
    add(
        '--resume',
        action='store_true',
        help='continue an interrupted adaptation',
    )
    add(
        '--skip-data-check',
        action='store_true',
        help='continue whatever the data check finds; an image that cannot be '
        'loaded then ends the training',
    )
    parser.add_cfg_options("the adaptation's config")
    parser.add_trust_checkpoint()
    argv = list(sys.argv[1:] if argv is None else argv)
    if '--resume' in argv:
        after = argv.index('--resume') + 1
        if argv[after : after + 1] == ['auto']:  # as the log spells it
            del argv[after]
    return parser.parse_args(argv)


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = vars(parse_args(argv))
    # Late: the package imports torch, which takes seconds.
    from da_faster.adaptation import adapt
    from da_faster.engine.hooks.preemption_hook import EXIT_CODE

    try:
        done = adapt(options=args.pop('cfg_options'), **args)
    except KeyboardInterrupt:
        print(
            '\nInterrupted. If adapt.py is in the work dir, --resume '
            'continues.',
            file=sys.stderr,
        )
        raise SystemExit(130) from None
    if done is None:
        raise SystemExit(EXIT_CODE)
    print(f'\n{done.verdict.text()}')
    if not done.after:
        print('To measure it, label some images and give --test-labels.')
    if done.source_free and not done.after:
        print(
            'The detector learned from its own labels alone. This mode '
            'was measured on few pairs (docs/adapt_results.md).'
        )
    for name, value in done.after.items():
        print(f'{name}: {done.before.get(name)} before, {value} adapted')
    print(f'\nadapted: {done.checkpoint} and {done.config}')


if __name__ == '__main__':
    main()

"""Checks the data of a config: python tools/check_data.py CONFIG [options].

Prints a line about the source, the target and the test set, then one sentence
for each error or warning. The exit code is 1 where an error is fatal. The
check before every training reads the headers of some images. This command
reads all images. So it also finds broken files, sizes other than the
annotations', and images that two sets share under different names.
"""

from argparse import Namespace
from collections.abc import Sequence

from da_faster_options import CommandParser, command


def parse_args(argv: Sequence[str] | None) -> Namespace:
    parser = CommandParser(__doc__)
    add = parser.add_argument
    add('config', help='config file path')
    add(
        '--fast',
        action='store_true',
        help='read only the headers of some images',
    )
    parser.add_nproc('threads')
    parser.add_cfg_options()
    return parser.parse_args(argv)


@command
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # Late: the package imports torch, which takes seconds.
    from da_faster.apis import load_config
    from da_faster.data_check import check

    cfg = load_config(args.config, args.cfg_options)
    checker = check(cfg, read_images=not args.fast, nproc=args.nproc)
    for line in checker.describe():
        print(line)
    for fatal, text in sorted(checker.findings, key=lambda f: not f.fatal):
        print(f'{"ERROR" if fatal else "warning"}: {text}')
    fatal = sum(finding.fatal for finding in checker.findings)
    if fatal:
        raise SystemExit(f'{fatal} error(s) that make a training worthless.')
    print('No error found.')


if __name__ == '__main__':
    main()

"""Check the data of a config: python tools/check_data.py CONFIG [options].

Prints what the source, the target and the test set are, then one sentence for
everything that is wrong with them. The exit code is 1 where an error is fatal.
The quick check before every training reads some headers; this one reads all
images. So it also finds broken files, sizes other than the annotations', and
images that two of the sets share under different names.
"""

import argparse
from collections.abc import Sequence

from da_faster_options import KeyValue


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('config', help='config file path')
    add(
        '--fast',
        action='store_true',
        help='read the headers of some images alone',
    )
    add('--nproc', type=int, help='threads (default: one a core)')
    add(
        '--cfg-options',
        nargs='+',
        action=KeyValue,
        help='override settings of the config, as of train.py',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    # torch is imported after the options are parsed: it takes seconds.
    from da_faster.apis import load_config
    from da_faster.data_check import check
    from da_faster.errors import one_sentence

    with one_sentence():
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

"""The options that all benchmarks of speed have."""

from da_faster_options import CommandParser, at_least


def benchmark_parser(doc: str | None, repeats: int) -> CommandParser:
    """Makes a parser with the options that all benchmarks of speed have.

    Args:
        doc (str): The command's docstring, which --help shows.
        repeats (int): Default of --repeats.
    """
    parser = CommandParser(doc)
    parser.add_argument(
        '--pair',
        metavar='FOLDER',
        help='take the images of a pair that tools/dataset_converters/'
        "city2foggy.py generated instead of the config's own",
    )
    parser.add_cfg_options()
    parser.add_argument(
        '--repeats',
        type=at_least(1),
        default=repeats,
        help=f'measurements to take the median of (default: {repeats})',
    )
    return parser

"""Build a wheel of mmcv, with its C++ ops, in mmcv's unpacked source.

Run by setup_env.py with the environment's Python, in the source directory.
Nearly all the time of the CPU build goes into parsing PyTorch's headers once
for each of 78 files, so they are parsed once, into a precompiled header. Where
that does not work the plain build takes over; lines that begin with `mmcv: `
are meant for the user.
"""

import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import torch
from torch.utils import cpp_extension

# No debug information and no -O3: half the time, a twentieth of the size.
CFLAGS = '-DNDEBUG -g0 -O2 -w'
PLAIN = 'the plain build, some three times slower: no precompiled header'


def say(text: str) -> None:
    print(f'mmcv: {text}', flush=True)


def precompile(ninja_file: Path) -> str:
    """Compile the header and return the text of a build.ninja that uses it.

    The compiler ignores a precompiled header made with any other flags, so
    they are read from the build.ninja that the sources will be compiled by.
    """
    text = ninja_file.read_text()
    var = dict(re.findall(r'^(\w+) = (.*)$', text, re.MULTILINE))
    flags = f'{var["cxx"]} {var["cflags"]} {var["post_cflags"]}'
    command = shlex.split(flags.replace('$', ''))  # ninja escapes with $
    header = ninja_file.with_name('precompiled.h')
    header.write_text('#include "pytorch_cpp_helper.hpp"\n')
    subprocess.run(
        [*command, '-x', 'c++-header', header, '-o', f'{header}.gch'],
        check=True,
    )

    # With -H, GCC marks a precompiled header that it really takes by '!'.
    probe = subprocess.run(
        [
            *command,
            '-include',
            header,
            '-H',
            '-fsyntax-only',
            '-x',
            'c++',
            os.devnull,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    if not probe.stderr.startswith(f'! {header}.gch'):
        raise RuntimeError('the compiler does not take it')
    use = f'-include {shlex.quote(str(header))}'
    return text.replace('\ncflags = ', f'\ncflags = {use} ')


def with_precompiled_header(run_ninja):
    """Wrap PyTorch's runner of ninja: first the header, then the sources."""

    def run(build_directory, *args, **kwargs):
        ninja_file = Path(build_directory) / 'build.ninja'
        try:
            ninja_file.write_text(precompile(ninja_file))
        except subprocess.CalledProcessError:
            say(f'{PLAIN}, as the compiler refuses it')
        except (KeyError, OSError, RuntimeError) as error:
            say(f'{PLAIN}: {error}')
        return run_ninja(build_directory, *args, **kwargs)

    return run


def main() -> None:
    os.environ['CFLAGS'] = f'{CFLAGS} {os.environ.get("CFLAGS", "")}'.strip()
    os.environ.setdefault('MAX_JOBS', str(min(os.cpu_count() or 1, 16)))

    if torch.cuda.is_available() or os.environ.get('FORCE_CUDA') == '1':
        if cpp_extension.CUDA_HOME is None and not torch.version.hip:
            sys.exit(
                'mmcv: torch sees a GPU but there is no nvcc to compile '
                'for it: install the CUDA toolkit of torch '
                f'({torch.version.cuda}) and set CUDA_HOME, or set '
                'CUDA_VISIBLE_DEVICES= to build for the CPU only.'
            )
        say('building for CUDA, which can take half an hour')
    elif hasattr(cpp_extension, '_run_ninja_build'):
        cpp_extension._run_ninja_build = with_precompiled_header(
            cpp_extension._run_ninja_build
        )
    else:
        say(f'{PLAIN}, as this torch builds in another way')

    sys.argv = ['setup.py', 'bdist_wheel']
    runpy.run_path('setup.py', run_name='__main__')


if __name__ == '__main__':
    main()

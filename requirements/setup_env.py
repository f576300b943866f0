"""Sets up the development environment in .venv: `make env`.

Only the standard library is needed. The set-up installs the versions of
lock.txt, compiles mmcv's ops while other packages install, and runs the ops.
Then it writes a stamp, so that the next start takes no time. After any
interruption, another start mends the environment.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LOCK = HERE / 'lock.txt'
VENV = ROOT / '.venv'
PYTHON = VENV / 'bin' / 'python'
# Holds the digest of the set-up; only a complete environment has a stamp.
STAMP = VENV / '.ready'
LOG = VENV / 'setup.log'
MMCV_LOG = VENV / 'mmcv-build.log'
CACHE = Path(
    os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache', 'da_faster'
)
BUILD_TOOLS = ['pip', 'setuptools', 'wheel', 'packaging', 'ninja']
START = time.monotonic()


class SetupError(Exception):
    """A failure, with one sentence that says how to mend it."""


def say(text: str) -> None:
    print(f'[{time.monotonic() - START:5.0f} s] {text}', flush=True)


def output_of(*command) -> str:
    return subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout.strip()


def read_pins(text: str) -> dict:
    """Maps each distribution of a lock file to its requirement line."""
    lines = (line.split('#')[0].strip() for line in text.splitlines())
    return {line.split('==')[0].strip(): line for line in lines if line}


def digest() -> str:
    """Digest of all that decides what is installed."""
    inputs = [
        *sorted(HERE.glob('*.py')),
        LOCK,
        *(ROOT / name for name in ('pyproject.toml', 'setup.py')),
    ]
    parts = [str(ROOT), sys.version, *(path.read_text() for path in inputs)]
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()


def check_machine(version=sys.version_info[:2]) -> str:
    """Checks for Python, a C++ compiler and Python.h; returns the compiler."""
    if not (3, 10) <= version < (3, 13):
        raise SetupError(
            f'Python 3.10, 3.11 or 3.12 is needed and this is {version[0]}.'
            f'{version[1]}: name one, as in `make env PYTHON=python3.11`.'
        )
    chosen = os.environ.get('CXX')
    names = [chosen] if chosen else ['c++', 'g++', 'clang++']
    compiler = next((name for name in names if shutil.which(name)), None)
    if compiler is None:
        raise SetupError(
            f"There is no C++ compiler ({', '.join(names)}) for mmcv's ops: "
            'install one, on Debian and Ubuntu with `apt-get install g++`.'
        )
    if not Path(sysconfig.get_path('include'), 'Python.h').is_file():
        raise SetupError(
            "Python.h, which mmcv's ops include, is missing: on "
            'Debian and Ubuntu `apt-get install python3-dev`.'
        )
    return compiler


def pip_failure(output: str) -> str:
    """Says in one sentence why pip failed."""
    unreachable = (
        'NewConnectionError',
        'NameResolutionError',
        'ProxyError',
        'SSLError',
        'ConnectTimeout',
        'Read timed out',
        'Failed to establish a new connection',
        'Temporary failure in name resolution',
    )
    if any(sign in output for sign in unreachable):
        return (
            'The package index cannot be reached: check the network, or '
            'name a mirror with PIP_INDEX_URL, and run `make env` again.'
        )
    if 'No space left on device' in output:
        return 'The disk is full: free some space and run `make env` again.'
    errors = [line for line in output.splitlines() if 'ERROR: ' in line]
    return (
        f'pip failed, {LOG} says how: '
        f'{errors[-1] if errors else "it names no error"}'
    )


def pip(*arguments) -> None:
    done = subprocess.run(
        [
            PYTHON,
            '-m',
            'pip',
            '--disable-pip-version-check',
            '--no-input',
            *arguments,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with LOG.open('a') as log:
        print('$ pip', *arguments, f'\n{done.stdout}', file=log)
    if done.returncode:
        raise SetupError(pip_failure(done.stdout))


def prepare_venv() -> None:
    """Keeps a complete .venv of this Python; makes a new one otherwise.

    An interrupted .venv is not kept: pip takes a package that was installed
    half-way for an installed one.
    """
    complete = STAMP.exists()
    STAMP.unlink(missing_ok=True)
    if complete and PYTHON.exists():
        found = subprocess.run(
            [PYTHON, '-c', 'import sys; print(sys.version)'],
            capture_output=True,
            text=True,
        )
        if found.stdout.strip() == sys.version.strip():
            return
    say(f'creating {VENV}')
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run(
        [sys.executable, '-m', 'venv', VENV], capture_output=True, text=True
    )
    if made.returncode:
        raise SetupError(
            '`python -m venv` does not work: on Debian and '
            'Ubuntu `apt-get install python3-venv`. '
            f'[{(made.stdout + made.stderr).strip()}]'
        )


def check_ops() -> 'tuple[bool, str]':
    """Runs the ops in .venv; returns whether they work, and a line of text."""
    done = subprocess.run(
        [PYTHON, HERE / 'check_env.py'], capture_output=True, text=True
    )
    lines = (done.stderr if done.returncode else done.stdout).splitlines()
    return done.returncode == 0, lines[-1] if lines else (
        f'Running the ops ended with status {done.returncode}.'
    )


def wheel_folder(pin: str, compiler: str) -> Path:
    """Cache folder of a mmcv wheel, for this platform, torch and compiler."""
    parts = [
        pin,
        sys.version,
        platform.machine(),
        *platform.libc_ver(),
        (HERE / 'build_mmcv.py').read_text(),
        output_of(compiler, '--version'),
        output_of(
            PYTHON,
            '-c',
            'import torch; c = torch.cuda; print('
            'torch.__version__, torch.version.cuda, '
            'c.is_available() and c.get_device_capability())',
        ),
        *(
            os.environ.get(name, '')
            for name in (
                'CFLAGS',
                'CUDA_HOME',
                'FORCE_CUDA',
                'TORCH_CUDA_ARCH_LIST',
            )
        ),
    ]
    key = hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:16]
    return CACHE / f'mmcv-{key}'


class MmcvBuild:
    """Compiles mmcv in the background, while other packages install."""

    def __init__(self, pin: str, compiler: str) -> None:
        self.folder = folder = VENV / 'mmcv-build'
        shutil.rmtree(folder, ignore_errors=True)
        pip(
            'download',
            '--no-deps',
            '--no-build-isolation',
            '--no-binary',
            'onedl-mmcv',
            '--dest',
            folder,
            pin,
        )
        shutil.unpack_archive(next(folder.glob('*.tar.gz')), folder)
        self.source = next(path for path in folder.iterdir() if path.is_dir())
        path = f'{VENV / "bin"}{os.pathsep}{os.environ["PATH"]}'
        with MMCV_LOG.open('w') as log:
            self.process = subprocess.Popen(
                [PYTHON, HERE / 'build_mmcv.py'],
                cwd=self.source,
                env=dict(
                    os.environ, CXX=compiler, PATH=path, MMCV_WITH_OPS='1'
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that close() ends its children
            )

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wheel(self) -> Path:
        """Waits for the wheel, and prints the progress."""
        running = True
        with MMCV_LOG.open(errors='replace') as log:
            while running:
                running = self.process.poll() is None
                for line in log:
                    done = re.match(r'\[(\d*[02468]0/\d+)\] ', line)
                    if line.startswith('mmcv: '):
                        say(line.strip())
                    elif done:
                        say(f'mmcv: compiled {done[1]} files')
                time.sleep(0.5 * running)
        if self.process.returncode:
            lines = MMCV_LOG.read_text(errors='replace').splitlines()
            errors = [line for line in lines if 'error: ' in line]
            print(*(errors[:10] or lines[-25:]), sep='\n', file=sys.stderr)
            STAMP.touch()  # so that the next start keeps the other packages
            raise SetupError(
                "mmcv's ops do not compile, as above and in "
                f'{MMCV_LOG}: mend it and run `make env` again.'
            )
        return next(self.source.glob('dist/*.whl'))


def cache_wheel(wheel: Path, folder: Path) -> None:
    """Copies the wheel into the cache, for the next environment."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(wheel, folder / 'partial')
        os.replace(folder / 'partial', folder / wheel.name)
    except OSError as error:
        say(f'the wheel of mmcv is not cached: {error}')


def install(compiler: str) -> None:
    pins = read_pins(LOCK.read_text())
    mmcv = pins.pop('onedl-mmcv')
    prepare_venv()
    say('installing PyTorch and the build tools')
    pip(
        'install',
        '--constraint',
        LOCK,
        pins['torch'],
        *(pins[tool] for tool in BUILD_TOOLS),
    )

    works, report = check_ops()
    wanted = not (works and f'mmcv {mmcv.split("==")[1]},' in report)
    cache = wheel_folder(mmcv, compiler)
    cached = next(cache.glob('*.whl'), None)
    build = None
    try:
        if wanted and not cached:
            say("compiling mmcv's ops, a few minutes; meanwhile")
            build = MmcvBuild(mmcv, compiler)
        say('installing the other packages')
        # The lock lists all that is needed; direct.txt says what is left out.
        pip(
            'install',
            '--no-deps',
            '--no-build-isolation',
            *pins.values(),
            '--editable',
            ROOT,
        )
        if wanted:
            say('installing mmcv with its ops')
            wheel = build.wheel() if build else cached
            pip('install', '--no-deps', '--force-reinstall', wheel)
        works, report = check_ops()
        if not works:
            shutil.rmtree(cache, ignore_errors=True)
            raise SetupError(report)
        if build:
            cache_wheel(wheel, cache)
        say(report)
    finally:
        if build:
            build.close()


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # one set-up of a tree at a time
    try:
        wanted = digest()
        if STAMP.exists() and STAMP.read_text() == wanted and PYTHON.exists():
            print(f'{VENV} is up to date')
            return 0
        install(check_machine())
        STAMP.write_text(wanted)
    except SetupError as error:
        print(f'make env: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nmake env: interrupted; run it again.', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())

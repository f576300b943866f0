"""Fake commands of SLURM on one machine, as far as tests need them.

It is called by the names of the commands. Jobs are files in $FAKE_SLURM:
NUMBER.sh the script, NUMBER.pid its process group, NUMBER.state the last word.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

FOLDER = Path(os.environ['FAKE_SLURM'])


def submit(number: str) -> None:
    """Runs a job, and writes its state when it is over."""
    script = FOLDER / f'{number}.sh'
    done = f'echo COMPLETED > {FOLDER}/{number}.state'
    begun = subprocess.Popen(
        ['bash', '-c', f'trap "" TERM USR2; bash {script}; {done}'],
        env=dict(os.environ, SLURM_JOB_ID=number, SLURM_NTASKS='1'),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (FOLDER / f'{number}.state').write_text('RUNNING')
    (FOLDER / f'{number}.pid').write_text(str(begun.pid))


def sbatch(path: str) -> None:
    text = Path(path).read_text()
    if 'partition=full' in text:
        sys.exit('sbatch: error: invalid partition specified: full')
    number = str(len(list(FOLDER.glob('*.sh'))) + 1)
    (FOLDER / f'{number}.sh').write_text(text)
    submit(number)
    print(f'Submitted batch job {number}')


def srun(*args: str) -> None:
    """Submits or runs a job; names of output files may have %j and %t only."""
    args, outputs = list(args), {}
    while args[0].startswith('--'):
        option = args.pop(0)
        if option in ('--output', '--error'):
            name = args.pop(0).replace('%j', os.environ['SLURM_JOB_ID'])
            outputs[option] = open(name.replace('%t', '0'), 'a')
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    for option, number in (('--output', 1), ('--error', 2)):
        os.dup2(outputs[option].fileno(), number)
    (FOLDER / f'{os.environ["SLURM_JOB_ID"]}.task').write_text(
        str(os.getpid())
    )
    os.execvp(args[0], args)


def sacct(*args: str) -> None:
    print('JobID|State|NodeList')
    for number in args[4::2]:
        state = FOLDER / f'{number}.state'
        if state.exists():
            print(f'{number}|{state.read_text().strip()}|here')


def scancel(number: str) -> None:
    """Sends SIGTERM, and SIGKILL a second later."""
    group = (FOLDER / f'{number}.pid').read_text()
    task = (FOLDER / f'{number}.task').read_text()
    os.kill(int(task), signal.SIGTERM)
    subprocess.run(['sh', '-c', f'sleep 1; kill -KILL -{group}'])
    (FOLDER / f'{number}.state').write_text('CANCELLED')


def scontrol(what: str, number: str) -> None:
    assert what == 'requeue'
    (FOLDER / f'{number}.requeued').touch()
    submit(number)


if __name__ == '__main__':
    command = Path(sys.argv[0]).name
    {f.__name__: f for f in (sbatch, srun, sacct, scancel, scontrol)}[command](
        *sys.argv[1:]
    )

"""Checks that an environment can run the project.

`python requirements/check_env.py` runs mmcv's compiled ops on every device
that PyTorch sees, as mmcv also installs, almost silently, without its ops. The
check works with both lines of distributions: onedl-* and the original
OpenMMLab.
"""

import contextlib
import io
import sys


def explain(error: BaseException) -> str:
    """Says in one sentence what an error means and how to mend it."""
    text = f'{type(error).__name__}: {error}'
    rebuild = (
        'run `make env`, or in an environment of your own install '
        'torch first and then `pip install --no-build-isolation '
        '--no-cache-dir --force-reinstall --no-deps onedl-mmcv` (or '
        'mmcv)'
    )
    if 'undefined symbol' in text:
        return (
            "mmcv's ops were compiled for another PyTorch: "
            f'{rebuild}. [{text}]'
        )
    if 'mmcv._ext' in text:
        return (
            f'mmcv is installed without its compiled ops: {rebuild}. [{text}]'
        )
    if 'implementation for device' in text or 'not compiled with' in text:
        return f"mmcv's ops were compiled without CUDA: {rebuild}. [{text}]"
    if isinstance(error, ModuleNotFoundError):
        return (
            f'The package {error.name!r} is missing: run `make env`. [{text}]'
        )
    return f'The environment does not work: {text}'


def run_ops(device: str) -> None:
    """Runs nms and RoIAlign on a device; raises an error if one is wrong."""
    import torch
    from mmcv.ops import RoIAlign, nms

    boxes = torch.tensor(
        [
            [0.0, 0.0, 10.0, 10.0],
            [1.0, 1.0, 10.0, 10.0],
            [20.0, 20.0, 30.0, 30.0],
        ]
    ).to(device)
    _, kept = nms(boxes, torch.tensor([0.9, 0.8, 0.7]).to(device), 0.5)
    if kept.tolist() != [0, 2]:
        raise RuntimeError(f'nms kept {kept.tolist()}, not [0, 2]')

    ones = torch.ones(1, 2, 32, 32, device=device, requires_grad=True)
    roi = torch.tensor([[0.0, 2.0, 2.0, 20.0, 20.0]]).to(device)
    pooled = RoIAlign(7)(ones, roi)
    pooled.sum().backward()
    if not torch.allclose(pooled, torch.ones_like(pooled), atol=1e-4):
        raise RuntimeError('RoIAlign of a constant is not that constant')


def main() -> int:
    try:
        import mmcv

        # The OneDL line prints that an optional package is missing.
        with contextlib.redirect_stdout(io.StringIO()):
            import mmdet.datasets
            import mmdet.models
        import mmengine
        import torch

        if tuple(map(int, torch.__version__.split('.')[:2])) < (2, 6):
            raise RuntimeError(
                f'PyTorch {torch.__version__} is too old, install 2.6 or newer'
            )
        devices = ['cpu'] + ['cuda'] * torch.cuda.is_available()
        for device in devices:
            run_ops(device)
    except Exception as error:
        print(explain(error), file=sys.stderr)
        return 1
    print(
        f'torch {torch.__version__}, mmengine {mmengine.__version__}, '
        f'mmcv {mmcv.__version__}, mmdet {mmdet.__version__}: '
        f'nms and RoIAlign work on {" and ".join(devices)}'
    )
    return 0


if __name__ == '__main__':
    sys.exit(main())

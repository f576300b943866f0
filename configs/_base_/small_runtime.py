# default_runtime.py for the small pairs: short trainings with one seed.
_base_ = './default_runtime.py'
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=1))
randomness = dict(seed=0)

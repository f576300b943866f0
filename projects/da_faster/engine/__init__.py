from .da_loop import DALoop
from .grad_scale_ramp_hook import GradScaleRampHook
from .launch import set_up_cpu_launcher

__all__ = ['DALoop', 'GradScaleRampHook', 'set_up_cpu_launcher']

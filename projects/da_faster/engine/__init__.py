from .da_loop import DALoop
from .launch import set_up_cpu_launcher

__all__ = ['DALoop', 'set_up_cpu_launcher']

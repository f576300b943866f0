"""Measures time and memory; the commands in benchmarks/ call it.

The modules ``evaluation``, ``loading``, ``scaling``, ``soak``, ``start_up``,
``step_parts`` and ``train_step`` belong to the command of the same name.
``step_variants`` is what ``train_step`` compares. ``inputs``, ``measuring``,
``options`` and ``teacher_step`` are shared. From Python, in the root of the
repository, with benchmarks/ in PYTHONPATH::

    from speed.inputs import load_config
    from speed.train_step import compare_steps

    # Seconds of five steps each.
    cfg = load_config('configs/demo/da_faster_plain_demo.py', need_target=True)
    done = compare_steps(cfg, images=1, variants=['stock', 'ours'], repeats=5)
    print(done.time)
"""

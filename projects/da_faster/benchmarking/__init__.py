"""Compares methods by accuracy and measures speed; benchmarks/ calls it.

::

    from da_faster.benchmarking.adaptation import compare
    from da_faster.benchmarking.inputs import load_config
    from da_faster.benchmarking.speed import table
    from da_faster.benchmarking.train_step import compare_steps

    # Accuracy: from the root of the repository, as configs name their data.
    print(compare('demo', 'work_dirs/adaptation/demo', seeds=[0], jobs=2))

    # Speed: seconds of five steps each.
    cfg = load_config('configs/demo/da_faster_plain_demo.py', need_target=True)
    done = compare_steps(cfg, images=1, variants=['stock', 'ours'], repeats=5)
    print(table(('step', 'seconds'), *done.time.items()))

The modules ``evaluation``, ``loading``, ``soak``, ``start_up``, ``step_parts``
and ``train_step`` belong to the command of the same name each.
``step_variants`` is what ``train_step`` compares; ``inputs``, ``progress``,
``speed``, ``teacher_step`` and ``training`` are what they share. What the user
has to mend is a :class:`da_faster.errors.UserError`.
"""

"""Compares methods by accuracy; the commands in benchmarks/ call it.

::

    from da_faster.benchmarking.adaptation import compare

    # From the root of the repository, as configs name their data.
    print(compare('demo', 'work_dirs/adaptation/demo', seeds=[0], jobs=2))

The modules ``adaptation``, ``certainty`` and ``hard_pairs`` belong to the
command of the same name. ``methods`` lists the methods. ``training`` and
``cluster`` start trainings. ``progress`` shows the progress of trainings.
``scores`` evaluates them. An error that the user can mend is a
:class:`da_faster.errors.UserError`.
"""

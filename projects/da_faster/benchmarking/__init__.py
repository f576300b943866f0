"""Compares methods by accuracy; the commands in benchmarks/ call it.

::

    from da_faster.benchmarking.adaptation import compare

    # From the root of the repository, as configs name their data.
    print(compare('demo', 'work_dirs/adaptation/demo', seeds=[0], jobs=2))

The modules ``adaptation``, ``certainty`` and ``hard_pairs`` belong to the
command of the same name. ``methods`` names what is compared, ``training`` and
``cluster`` start trainings, ``progress`` shows how far they are, ``scores``
evaluates them. What the user has to mend is a
:class:`da_faster.errors.UserError`.
"""

"""Accuracy: suites of programming tasks, generation, sandboxed scoring and pass@k.

    suite.py           a suite file: tasks, the cut, the program that decides
    generate.py        engine -> samples.jsonl, resumable
    environment.py     the pinned Python 3.11 with pandas 1.5.3 and NumPy 1.23.5
    sandbox.py         runs programs, each in a confined process of its own (host side)
    sandbox_worker.py  the same, guest side: standard library only, runs in the pinned environment
    score.py           samples + outcomes -> pass@k, score.json, the table
    pairs.py           held-out pairs: exact match, edit similarity, loss
    rows.py            a rows file: what a table has in it; table.toml is the project's own
    table.py           runs what is missing of a table; statistics.py: intervals; existence.py: names that do not exist
    report.py          the table as Markdown
    curve.py           the learning curve
    everyday.jsonl     forty short intents of daily work, never trained on
    documentation.jsonl  tasks from documentation, made by `python -m trainer suite`, never trained on

`python -m evals --help` shows the commands.
"""

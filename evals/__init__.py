"""Accuracy: suites of programming tasks, generation, sandboxed scoring and pass@k.

    suite.py           a suite file: tasks, the cut, the program that decides
    generate.py        engine -> samples.jsonl, resumable
    environment.py     the pinned Python 3.11 with pandas 1.5.3 and NumPy 1.23.5
    sandbox.py         runs programs, each in a confined process of its own (host side)
    sandbox_worker.py  the same, guest side: standard library only, runs in the pinned environment
    score.py           samples + outcomes -> pass@k, score.json, the table
    everyday.jsonl     forty short intents of daily work, never trained on

`python -m evals --help` shows the commands.
"""

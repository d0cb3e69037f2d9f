"""The documentation suite: tasks with value checks, taken from the documentation of real packages.

    packages.txt   the pinned packages that no training text comes from; packages.lock holds their hashes
    left_out.txt   tasks that were looked at and are no good, each with its reason
    draft.py       what a task is before it has been run
    examples.py    an example of a docstring or guide -> draft: data, intent, cursor
    functions.py   a short documented function -> draft: signature and docstring, cursor in its body
    settled.py     does the intent settle the constants of the answer?
    inputs.py      arguments for functions whose docstring calls them with none
    guest.py       source that runs in the sandbox: plain values, equality, the search for arguments
    build.py       runs drafts under each interpreter and keeps those that give a value to check
    cli.py         python -m trainer suite

The suite itself is `evals/documentation.jsonl`. `trainer.corpus.decontaminate` keeps it out of all training text.
"""

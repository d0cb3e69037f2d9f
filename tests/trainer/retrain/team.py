"""A team with an idiom of its own, and the model that it has in service."""

import os
import subprocess
import sys
from pathlib import Path

WORDS = ("price", "weight", "delay", "income", "height", "speed", "volume", "margin", "energy", "duration")
KEYS = ("city", "carrier", "region", "customer", "sensor", "branch", "species", "airport", "vendor", "colour")


MEAN = 'df.groupby("{key}")["{name}"].mean()'


def write_team(folder: Path, files: int = 10, answer: str = MEAN) -> Path:
    """Write Python files in which a comment asks for a mean by a key, and the line below answers.

    `answer` may name `key`, the column's `name`, and `count`, which is another in each answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        key = KEYS[number % len(KEYS)]
        lines = ["import pandas as pd", "", f'df = pd.read_csv("{key}_{number}.csv")']
        for place, word in enumerate(WORDS):
            name = f"{word}_{number // len(KEYS)}" if number >= len(KEYS) else word
            count = number * len(WORDS) + place
            lines += ["", f"# compute the mean {name} per {key}", answer.format(key=key, name=name, count=count)]
        (folder / f"report_{key}_{number}.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def run(*arguments: object, status: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m ARGUMENTS` to its end and check its exit status."""
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
        env={**os.environ, "OMP_NUM_THREADS": "1", **env},
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done

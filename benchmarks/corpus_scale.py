"""`python -m benchmarks.corpus_scale`: time and memory of `python -m trainer corpus` against the number of files.

Writes Python files (drawn by seed; one in ten uses pandas), lets the corpus command read them from nothing, and notes
seconds, processor seconds and the greatest resident memory of all its processes together. The figures go to
docs/corpus-scale.csv, the picture to docs/images/corpus-scale.svg; what stands there already is not measured again.

  python -m benchmarks.corpus_scale                          200,000 files, three smaller numbers, 1 beside 2 workers
  python -m benchmarks.corpus_scale --files 2000 --out out   a look

Seconds mean something on a machine that has no other work. Elsewhere processor seconds do, and `path_seconds`: those of
the first process and of the busiest of its workers, which is what has to be done one after the other.
"""

import argparse
import contextlib
import csv
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

DOCS = Path(__file__).parents[1] / "docs"
FIELDS = (
    *("files", "executor", "workers", "round", "seconds", "cpu_seconds", "path_seconds"),
    *("resident_mb", "records", "load", "sha256"),
)
_A_FOLDER = 500
_COLUMNS = (
    "price",
    "delay",
    "weight",
    "income",
    "height",
    "speed",
    "volume",
    "margin",
    "energy",
    "age",
    "score",
    "rent",
)
_KEYS = ("city", "carrier", "region", "customer", "sensor", "branch", "species", "airport", "vendor", "colour", "team")
_ASKED = (
    ("mean {column} per {key}", 'df.groupby("{key}")["{column}"].mean()'),
    ("rows whose {column} is above {number}", 'df[df["{column}"] > {number}]'),
    ("the {number} rows with the largest {column}", 'df.nlargest({number}, "{column}")'),
    ("drop rows without a {column}", 'df.dropna(subset=["{column}", "{key}"])'),
    (
        "count of {key} by {column} rounded to {number} digits",
        'df.assign(r=df["{column}"].round({number})).value_counts("r")',
    ),
    ("share of {column} above {number} for each {key}", 'df["{column}"].gt({number}).groupby(df["{key}"]).mean()'),
)


def write_files(folder: Path, count: int) -> None:
    """Write `count` Python files; the first ones are the same for every count."""
    for number in range(count):
        rng = random.Random(number)
        here = folder / f"{number // _A_FOLDER:05d}"
        if number % _A_FOLDER == 0:
            here.mkdir(parents=True)
        text = _with_pandas(rng) if number % 10 == 0 else _without(rng)
        (here / f"module_{number}.py").write_text(text, encoding="utf-8")


def _with_pandas(rng: random.Random) -> str:
    lines = ['"""A report."""', "", "import pandas as pd", "", f'df = pd.read_csv("{rng.choice(_KEYS)}.csv")']
    for _ in range(3):
        asked, answer = rng.choice(_ASKED)
        drawn = {"column": rng.choice(_COLUMNS), "key": rng.choice(_KEYS), "number": rng.randrange(2, 400)}
        lines += ["", f"# {asked.format(**drawn)}", answer.format(**drawn)]
    return "\n".join(lines) + "\n"


def _without(rng: random.Random) -> str:
    lines = ["import os", ""]
    for number in range(rng.randrange(4, 12)):
        name = f"{rng.choice(_COLUMNS)}_{number}"
        lines += ["", f"def {name}(path, limit={rng.randrange(99)}):", f'    """Tell the {name} of a path."""']
        lines += ["    names = os.listdir(path)", "    return [each for each in names if len(each) > limit]", ""]
    return "\n".join(lines) + "\n"


def measure(folder: Path, count: int, executor: str, workers: int) -> dict[str, object]:
    """Build a corpus of `folder` and return a row of FIELDS.

    Raises:
        subprocess.CalledProcessError: The command failed.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent) as out:
        command = [sys.executable, "-m", "trainer", "corpus", "--out", out, "--folder", str(folder)]
        command += ["--executor", executor, "--workers", str(workers), "--json"]
        load, began = psutil.getloadavg()[0], time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            seen = Seen(psutil.Process(process.pid))
            process.communicate()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        seconds, written = time.monotonic() - began, Path(out) / "train.parquet"
        counted = json.loads((Path(out) / "report.json").read_text(encoding="utf-8"))
        return {
            "files": count,
            "executor": executor,
            "workers": workers,
            "seconds": round(seconds, 1),
            "cpu_seconds": round(seen.spent, 1),
            "path_seconds": round(seen.path, 1),
            "resident_mb": round(seen.resident / 1e6),
            "records": sum(counted["splits"].values()),
            "load": round(load, 1),
            "sha256": hashlib.sha256(written.read_bytes()).hexdigest()[:16],
        }


class Seen(threading.Thread):
    """Watches a process and all below it while they run.

    Attributes:
        resident: The greatest resident memory of all together, in bytes.
    """

    def __init__(self, process: psutil.Process) -> None:
        """Begin to watch `process`."""
        super().__init__(daemon=True)
        self._process, self._spent = process, dict[int, float]()  # processor seconds by process
        self.resident = 0
        self.start()

    @property
    def spent(self) -> float:
        """Processor seconds of all."""
        return sum(self._spent.values())

    @property
    def path(self) -> float:
        """Processor seconds of the process and of the busiest one below it."""
        own = self._spent.get(self._process.pid, 0.0)
        return own + max((spent for pid, spent in self._spent.items() if pid != self._process.pid), default=0.0)

    def run(self) -> None:
        """Look ten times a second."""
        with contextlib.suppress(psutil.NoSuchProcess):
            while self._process.status() != psutil.STATUS_ZOMBIE:
                total = 0
                for each in (self._process, *self._process.children(recursive=True)):
                    with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                        total += each.memory_info().rss
                        spent = each.cpu_times()
                        self._spent[each.pid] = spent.user + spent.system
                self.resident = max(self.resident, total)
                time.sleep(0.1)


def plot(rows: Sequence[dict[str, str]], file: Path) -> None:
    """Draw processor seconds and memory against files for one worker."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "cert-lsp"
    from matplotlib import pyplot

    one = [row for row in rows if (row["executor"], row["workers"], row["round"]) == ("local", "1", "0")]
    files, spent, memory = ([float(row[name]) for row in one] for name in ("files", "cpu_seconds", "resident_mb"))
    rate = sum(x * y for x, y in zip(files, spent, strict=True)) / sum(x * x for x in files)
    figure, axes = pyplot.subplots(figsize=(6, 3.2), layout="constrained")
    axes.plot([0, max(files)], [0, rate * max(files)], color="0.7", label=f"{1000 * rate:.2f} ms a file")
    axes.plot(files, spent, "o", color="tab:blue", label="processor seconds, one worker")
    axes.set(xlabel="files", ylabel="processor seconds", xlim=(0, None), ylim=(0, None))
    axes.set_xticks(files, [f"{count:,.0f}" for count in files])
    beside = axes.twinx()
    beside.plot(files, memory, "s", color="tab:orange", label="resident memory, MB")
    beside.set(ylabel="MB", ylim=(0, 2000))
    handles = [each for ax in (axes, beside) for each in ax.get_legend_handles_labels()[0]]
    axes.legend(handles=handles, loc="upper left", frameon=False)
    figure.savefig(file, metadata={"Date": None})


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the table and draw it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200_000, metavar="N", help="the largest number (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, metavar="N", help="of one worker beside two (%(default)s)")
    parser.add_argument("--ray", action="store_true", help="two workers on a Ray cluster as well")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="where the files are written (default: temporary)")
    parser.add_argument("--out", type=Path, default=DOCS, metavar="DIR", help="where the results go (docs/)")
    options = parser.parse_args(arguments)
    steps = [options.files >> halved for halved in (3, 2, 1, 0)]
    todo = [(count, "local", 1, 0) for count in steps]
    # Rounds of one and two workers take turns: what else the machine does strikes both.
    todo += [(steps[1], "local", workers, number + 1) for number in range(options.rounds) for workers in (1, 2)]
    todo += [(steps[0], "ray", 2, 0)] * options.ray
    table = options.out / "corpus-scale.csv"
    (options.out / "images").mkdir(parents=True, exist_ok=True)
    rows = list(csv.DictReader(table.read_text().splitlines())) if table.exists() else []
    done = {tuple(row[name] for name in FIELDS[:4]) for row in rows}
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        for count, executor, workers, number in todo:
            if (str(count), executor, str(workers), str(number)) in done:
                continue
            folder = Path(scratch) / f"files-{count}"
            if not folder.exists():
                write_files(folder, count)
            row = {**measure(folder, count, executor, workers), "round": number}
            sys.stdout.write(" ".join(f"{name} {row[name]}" for name in FIELDS) + "\n")
            sys.stdout.flush()
            rows.append({name: str(row[name]) for name in FIELDS})
            with table.open("w", newline="") as file:
                writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    plot(rows, options.out / "images/corpus-scale.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())

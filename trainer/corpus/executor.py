"""Where the corpus's work is done: on this machine, on a Ray cluster or by Slurm, through datatrove's executors.

A stage is a number of pieces of work that do not know of each other; each reads and writes files that are named after
what they hold, so that who does which piece, and how many work at a time, changes nothing in the result. On several
machines all see the same folders, and the same checkout at the same path.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from loguru import logger

from cert_lsp.errors import ConfigError, CorpusError
from trainer.corpus.place import Place

logger.disable("datatrove")  # it tells of every task; progress and errors are ours to show

_TASKS_A_WORKER = 16
"""Small enough that starting tasks costs little, large enough that all workers end at about the same time."""


@dataclass(frozen=True)
class Stage:
    """Work that can begin when the stage before it is done.

    Attributes:
        name: For people, and for the folder of its logs.
        steps: datatrove's pipeline: a step takes the documents of the one before, a task's number, and how many.
        tasks: Into how many tasks it is cut.
    """

    name: str
    steps: Sequence[Any]
    tasks: int


def shared_out(name: str, work: Callable[[int], None], count: int, place: Place) -> Stage:
    """A stage that calls `work` with each of `range(count)`, dealt out to as many tasks as suit the workers."""
    return Stage(name, [partial(_deal, work, count)], max(1, min(count, _TASKS_A_WORKER * place.workers)))


def _deal(work: Callable[[int], None], count: int, _: object, rank: int, world: int) -> None:
    for number in range(rank, count, world):
        work(number)


def run(stages: Sequence[Stage], place: Place, logs: Path) -> bool:
    """Do the stages in their order; what an earlier run left in `logs` is thrown away.

    Returns:
        Whether they are done; under Slurm they are queued.

    Raises:
        CorpusError: A task failed.
        ConfigError: The executor is not installed or not there.
    """
    shutil.rmtree(logs, ignore_errors=True)
    if place.executor == "slurm":
        _queue(stages, place, logs.resolve())
        return False
    with _ray_cluster(place) if place.executor == "ray" else contextlib.nullcontext():
        for stage in stages:
            _run_now(stage, place, logs.resolve() / stage.name)
    return True


def _run_now(stage: Stage, place: Place, logs: Path) -> None:
    from datatrove.executor import LocalPipelineExecutor, RayPipelineExecutor

    settings = {"tasks": stage.tasks, "workers": min(place.workers, stage.tasks), "logging_dir": str(logs)}
    pipeline = [partial(_task, stage.steps, logs)]
    with _progress(stage, logs):
        if place.executor == "ray":
            executor = RayPipelineExecutor(pipeline, mem_per_cpu_gb=1, **settings)
        else:
            executor = LocalPipelineExecutor(pipeline, **settings)
        executor.run()
    failed = executor.get_incomplete_ranks()
    if failed:  # Ray goes on with the other tasks; on this machine the error itself came to us
        told = [path.read_text(encoding="utf-8").rstrip().rpartition("\n")[2] for path in logs.glob("*.error")]
        raise CorpusError(
            f"{len(failed)} of {stage.tasks} tasks of the stage {stage.name} failed: {'; '.join(sorted(set(told)))}",
            "the corpus is not complete",
            f"look into {logs}, then run the same command again: what is finished is not done twice",
        )


def _task(steps: Sequence[Any], logs: Path, data: Any, rank: int, world: int) -> None:
    """Run a task's steps to their end; an error is written down, because not every executor hands it on."""
    try:
        for step in steps:
            data = step(data, rank, world)
        deque(data or (), maxlen=0)
    except Exception:
        logs.mkdir(parents=True, exist_ok=True)
        (logs / f"{rank:05d}.error").write_text(traceback.format_exc(), encoding="utf-8")
        raise


def _queue(stages: Sequence[Stage], place: Place, logs: Path) -> None:
    from datatrove.executor import SlurmPipelineExecutor

    if not shutil.which("sbatch"):
        raise ConfigError("there is no `sbatch` here", "nothing was queued", "start it on a login node of the cluster")
    before = None
    for stage in stages:
        before = SlurmPipelineExecutor(
            [partial(_task, stage.steps, logs / stage.name)],
            tasks=stage.tasks,
            workers=min(place.workers, stage.tasks),
            time=place.time,
            partition=place.partition,
            job_name=f"corpus-{stage.name}",
            qos="",
            env_command=f'export PATH="{Path(sys.executable).parent}:$PATH" PYTHONPATH="{_CHECKOUT}:$PYTHONPATH"',
            depends=before,
            logging_dir=str(logs / stage.name),
        )
    if before:
        before.run()


_CHECKOUT = Path(__file__).parents[2]


@contextlib.contextmanager
def _ray_cluster(place: Place) -> Iterator[None]:
    """Join the cluster that RAY_ADDRESS names, or start one of `place.workers` processors on this machine."""
    try:
        import ray
    except ImportError as error:
        raise ConfigError(f"Ray cannot be imported: {error}", remedy="pip install '.[scale]'") from error
    paths = os.pathsep.join(filter(None, (str(_CHECKOUT), os.environ.get("PYTHONPATH"))))
    alone = {} if os.environ.get("RAY_ADDRESS") else {"address": "local", "num_cpus": place.workers}
    try:
        ray.init(
            runtime_env={"env_vars": {"PYTHONPATH": paths}}, log_to_driver=False, logging_level="ERROR",
            include_dashboard=False, **alone,
        )  # fmt: skip
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"no Ray cluster answers at {os.environ.get('RAY_ADDRESS')}: {error}",
            "nothing was done",
            "start one with `ray start --head`, or unset RAY_ADDRESS to have one on this machine",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _progress(stage: Stage, logs: Path) -> Iterator[None]:
    """Show how many of the stage's tasks are done, wherever they are done: each leaves a file."""
    from tqdm import tqdm

    ended = threading.Event()

    def watch() -> None:
        with tqdm(total=stage.tasks, desc=stage.name, unit="task", disable=None) as bar:
            while not ended.wait(0.5):
                bar.update(len(list(logs.glob("completions/*"))) - bar.n)
            bar.update(len(list(logs.glob("completions/*"))) - bar.n)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()

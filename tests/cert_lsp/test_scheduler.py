"""Latest wins, cancellation, and one thread for the model."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from cert_lsp.scheduler import Scheduler, Superseded


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    made = Scheduler()
    yield made
    made.close()


async def work(scheduler: Scheduler, key: str, result: str, seconds: float, log: list[str]) -> str:
    with scheduler.claim(key) as job:

        def call() -> str:
            log.append(f"{result} begun")
            if job.cancelled.wait(seconds):
                log.append(f"{result} ended early")
            return result

        return await job.run(scheduler.reader, call)


async def test_newer_claim_ends_the_older_one_at_once(scheduler: Scheduler) -> None:
    log: list[str] = []
    older = asyncio.create_task(work(scheduler, "a", "older", 5, log))
    await asyncio.sleep(0.05)
    begun = time.monotonic()
    newer = asyncio.create_task(work(scheduler, "a", "newer", 0, log))
    with pytest.raises(Superseded):
        await older
    assert await newer == "newer"
    assert time.monotonic() - begun < 1
    assert log == ["older begun", "older ended early", "newer begun"]


async def test_queued_work_that_is_superseded_never_runs(scheduler: Scheduler) -> None:
    log: list[str] = []
    free = threading.Event()

    def hold() -> str:
        log.append("busy begun")
        free.wait(5)
        return "busy"

    with scheduler.claim("other") as job:
        busy = asyncio.create_task(job.run(scheduler.reader, hold))
        tasks = [asyncio.create_task(work(scheduler, "a", str(number), 0, log)) for number in range(20)]
        older = await asyncio.gather(*tasks[:-1], return_exceptions=True)
        free.set()
        assert await tasks[-1] == "19"
        assert await busy == "busy"
    assert [type(each) for each in older] == [Superseded] * 19
    assert log == ["busy begun", "19 begun"]


async def test_cancelled_task_ends_its_work(scheduler: Scheduler) -> None:
    log: list[str] = []
    task = asyncio.create_task(work(scheduler, "a", "it", 5, log))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await work(scheduler, "a", "next", 0, log) == "next"
    assert log == ["it begun", "it ended early", "next begun"]


async def test_errors_come_through_and_free_the_key(scheduler: Scheduler) -> None:
    def fail() -> None:
        raise ValueError("no")

    with scheduler.claim("a") as job, pytest.raises(ValueError, match="no"):
        await job.run(scheduler.reader, fail)
    assert await work(scheduler, "a", "next", 0, []) == "next"


async def test_second_step_of_a_superseded_job_does_not_start(scheduler: Scheduler) -> None:
    with scheduler.claim("a") as job, scheduler.claim("a"), pytest.raises(Superseded):
        await job.run(scheduler.reader, lambda: None)


async def test_one_piece_of_model_work_at_a_time(scheduler: Scheduler) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def call() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    async def one(key: int) -> None:
        with scheduler.claim(key) as job:
            await job.run(scheduler.reader, call)

    await asyncio.gather(*(one(key) for key in range(10)))
    assert most == 1


async def test_close_ends_what_runs(scheduler: Scheduler) -> None:
    log: list[str] = []
    task = asyncio.create_task(work(scheduler, "a", "it", 30, log))
    await asyncio.sleep(0.05)
    scheduler.close()
    with pytest.raises(Superseded):
        await task

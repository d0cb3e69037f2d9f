"""How fast memory is: the limit of decoding, which reads every weight for every token."""

import threading
import time

import numpy as np

_VALUES = 8_000_000  # a thread and array; far more than a cache holds
_ROUNDS = 12


def measure_bandwidth(threads: int) -> float:
    """Return bytes per second of STREAM's "add" (McCalpin 1995) on `threads` threads, the best of several rounds."""
    arrays = [[np.ones(_VALUES, np.float32) for _ in range(3)] for _ in range(threads)]

    def add(index: int) -> None:
        first, second, out = arrays[index]
        np.add(first, second, out=out)

    best = 0.0
    for _ in range(_ROUNDS):
        workers = [threading.Thread(target=add, args=(index,)) for index in range(threads)]
        begun = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        best = max(best, threads * 3 * 4 * _VALUES / (time.perf_counter() - begun))
    return best

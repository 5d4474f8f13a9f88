"""Sets of tensors used in turn, so that memory-bound cases find none of them in a cache."""

from __future__ import annotations

from collections.abc import Callable

CACHE_MULTIPLE = 4  # of the last-level cache: what the sets together exceed
MAXIMUM_SETS = 64
MEMORY_SHARE = 0.25  # of the memory that problems may take


def sets_needed(bytes_each: float, llc_bytes: int, memory_bytes: int) -> int:
    wanted = int(CACHE_MULTIPLE * llc_bytes / bytes_each) + 2
    possible = int(MEMORY_SHARE * memory_bytes / bytes_each)
    return max(1, min(wanted, possible, MAXIMUM_SETS))


class Rotation:
    """Calls one of `runs` after the other."""

    def __init__(self, runs: list[Callable[[], object]]) -> None:
        self._runs = runs
        self._next = 0

    def __call__(self) -> object:
        run = self._runs[self._next]
        self._next = (self._next + 1) % len(self._runs)
        return run()

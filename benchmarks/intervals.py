"""Medians with distribution-free 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    median: float
    low: float
    high: float

    @property
    def relative_width(self) -> float:
        return (self.high - self.low) / self.median if self.median else math.inf


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def median_interval(values: Sequence[float]) -> Interval:
    """The interval between two order statistics that covers the median with at least 95 %
    (binomial); of fewer than 6 values the whole range, which covers it with less."""
    ordered = sorted(values)
    n = len(ordered)
    below = 0.0
    rank = 0
    while rank < n // 2:
        below += math.comb(n, rank) / 2**n
        if below > (1 - CONFIDENCE) / 2:
            break
        rank += 1
    rank = max(rank - 1, 0)
    return Interval(median(ordered), ordered[rank], ordered[n - 1 - rank])


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))

"""Contestants that take turns, so that all of them see the same machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.intervals import Interval, median, median_interval

PAUSE_SECONDS = 0.01  # lets the other side's waiting threads go to sleep
SAMPLE_SECONDS = 0.03  # short runs are repeated for as long and averaged
LONG_SECONDS = 0.1  # runs from here on need no unmeasured run before
MINIMUM_ROUNDS = 7
MAXIMUM_ROUNDS = 60
TARGET_WIDTH = 0.02  # of the ratio's interval, relative: enough
CLEARLY_SLOWER = 1.25  # a peer's setting this far behind its best leaves after two rounds
ROUNDS_BEFORE_LEAVING = 2


@dataclass
class Contestant:
    name: str
    run: Callable[[], object]
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Match:
    """Per round: seconds of Kiln, of the best peer, and the probe's rate."""

    kiln: list[float]
    peers: dict[str, float]  # median seconds of every setting that took part
    best_peer: str
    ratio: Interval  # peer's time over Kiln's
    rates: list[float]


def sample(run: Callable[[], object], expected: float) -> float:
    """Mean seconds of a run, over at least SAMPLE_SECONDS."""
    time.sleep(PAUSE_SECONDS)
    if expected < LONG_SECONDS:
        run()
    count = max(1, round(SAMPLE_SECONDS / max(expected, 1e-7)))
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


def first(run: Callable[[], object]) -> float:
    """Seconds of the second of two runs: an estimate."""
    run()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def play(
    kiln: Contestant,
    peers: list[Contestant],
    probe: Callable[[], float],
    limit_seconds: float,
) -> Match:
    """Rounds of probe, Kiln, peers (in turns forwards and backwards) until the interval of the
    ratio is narrow or the time is spent; never fewer than MINIMUM_ROUNDS."""
    deadline = time.monotonic() + limit_seconds
    everyone = [kiln, *peers]
    expected = {contestant.name: first(contestant.run) for contestant in everyone}
    playing = list(everyone)
    rates: list[float] = []
    while True:
        rates.append(probe())
        order = playing if len(rates) % 2 else list(reversed(playing))
        for contestant in order:
            contestant.seconds.append(sample(contestant.run, expected[contestant.name]))
        rounds = len(rates)
        if rounds == ROUNDS_BEFORE_LEAVING:
            best = min(median(peer.seconds) for peer in peers)
            playing = [
                contestant
                for contestant in playing
                if contestant is kiln or median(contestant.seconds) <= CLEARLY_SLOWER * best
            ]
        best_peer = min(
            (peer for peer in peers if peer in playing), key=lambda peer: median(peer.seconds)
        )
        ratio = median_interval(
            [theirs / ours for ours, theirs in zip(kiln.seconds, best_peer.seconds, strict=True)]
        )
        if rounds >= MINIMUM_ROUNDS and (
            ratio.relative_width <= TARGET_WIDTH
            or time.monotonic() >= deadline
            or rounds >= MAXIMUM_ROUNDS
        ):
            return Match(
                kiln.seconds,
                {peer.name: median(peer.seconds) for peer in peers},
                best_peer.name,
                ratio,
                rates,
            )

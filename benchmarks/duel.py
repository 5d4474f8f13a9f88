"""Kiln's winner against PyTorch on a list of cases: tune what is not tuned, check, take turns."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from benchmarks.buffers import Rotation, sets_needed
from benchmarks.case import Case, Result
from benchmarks.intervals import median
from benchmarks.kiln import Argument, Kiln, KilnError
from benchmarks.report import Progress
from benchmarks.timing import Contestant, play

LONGEST_TUNING = 20.0  # seconds a case
SHORTEST_TUNING = 3.0
MEASURING = 4.0  # seconds a case, beyond the rounds that are always played
MEMORY_BOUND_INTENSITY = 40.0  # FLOP/byte below which buffers rotate


class Tensors(Protocol):
    def for_kiln(self, arguments: Sequence[Argument]) -> dict[str, torch.Tensor]: ...
    def output(self) -> torch.Tensor: ...
    def reference(self) -> torch.Tensor: ...
    def peers(self) -> dict[str, Callable[[], torch.Tensor]]: ...


@dataclass(frozen=True)
class Discipline:
    """What a benchmark brings to a duel."""

    make: Callable[[Case, int], Tensors]
    tolerance: dict[str, float]
    group: Callable[[Case], str]


class WrongResult(Exception):
    """Kiln's numbers differ from PyTorch's."""


def tuning_budget(
    start: float, limit_seconds: float | None, remaining: int, most: float
) -> float | None:
    """Seconds to tune the next of `remaining` cases; None when nothing is left of the limit."""
    if limit_seconds is None:
        return most
    left = start + limit_seconds - time.monotonic()
    if left < SHORTEST_TUNING + MEASURING:
        return None
    return min(most, max(SHORTEST_TUNING, left / remaining - 1.5 * MEASURING))


@torch.inference_mode()
def duels(
    kiln: Kiln,
    cases: list[Case],
    discipline: Discipline,
    limit_seconds: float | None,
    tuning_seconds: float,
) -> tuple[list[Result], list[str]]:
    """The results, and what was left out or failed. With `limit_seconds`, tuning gets the less
    time the more cases remain, and cases that nothing is left for are left out."""
    start = time.monotonic()
    results: list[Result] = []
    problems: list[str] = []
    progress = Progress(len(cases))
    for index, case in enumerate(cases):
        budget = tuning_budget(start, limit_seconds, len(cases) - index, tuning_seconds)
        if budget is None:
            problems.append(f"{case.title}: left out, the time is spent")
            progress.finished(problems[-1])
            continue
        try:
            progress.note(f"{case.title}: tuning ({budget:.0f} s)")
            kiln.problem(case.family, case.problem)
        except KilnError as error:
            problems.append(f"{case.title}: not admitted: {error}")
            progress.finished(problems[-1])
            continue
        try:
            tuned = kiln.tune(case.family, case.problem, budget)
            progress.note(f"{case.title}: measuring")
            result = duel(kiln, case, discipline)
        except (KilnError, WrongResult, RuntimeError, MemoryError) as error:
            problems.append(f"{case.title}: FAILED: {error}")
            progress.finished(problems[-1])
            continue
        results.append(result)
        progress.finished(
            f"{case.title}: {result.kiln:.3g} {result.unit}, ratio {result.ratio:.2f}"
            + (f", tuned in {tuned['seconds']:.0f} s" if tuned["tuned_now"] else "")
        )
    return results, problems


def duel(kiln: Kiln, case: Case, discipline: Discipline) -> Result:
    problem = kiln.problem(case.family, case.problem)
    memory_bound = problem.bandwidth_bound or problem.flops < MEMORY_BOUND_INTENSITY * problem.bytes
    count = 1
    if memory_bound:
        count = sets_needed(problem.bytes, kiln.device["llc_bytes"], kiln.device["memory_bytes"])
    sets = [discipline.make(case, seed) for seed in range(count)]
    kernel = kiln.kernel(case.family, case.problem)
    try:
        ours = Rotation([kernel.bind(each.for_kiln(kernel.arguments)) for each in sets])
        ours()
        check(sets[0], discipline.tolerance[case.dtype])
        settings = [each.peers() for each in sets]
        peers = [
            Contestant(name, Rotation([keeping(each[name]) for each in settings]))
            for name in settings[0]
        ]
        kind = probe_kind(kiln, case.dtype, problem.bandwidth_bound)
        match = play(Contestant("kiln", ours), peers, lambda: kiln.probe(kind), MEASURING)
    finally:
        kernel.close()
    work = problem.bytes if problem.bandwidth_bound else problem.flops
    fraction = median(
        [work / seconds / rate for seconds, rate in zip(match.kiln, match.rates, strict=True)]
    )
    return Result(
        case=case.title,
        kiln=work / median(match.kiln) * 1e-9,
        peers={name: work / seconds * 1e-9 for name, seconds in match.peers.items()},
        unit="GB/s" if problem.bandwidth_bound else "GFLOP/s",
        ratio=match.ratio.median,
        ratio_low=match.ratio.low,
        ratio_high=match.ratio.high,
        group=discipline.group(case),
        peak_fraction=fraction,
        config=kernel.config,
    )


def keeping(run: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
    """Holds each result until the next one of the same set is there, so that outputs rotate too."""
    held: list[torch.Tensor] = []

    def call() -> torch.Tensor:
        result = run()
        held[:] = [result]
        return result

    return call


def check(tensors: Tensors, tolerance: float) -> None:
    expected = tensors.reference()
    actual = tensors.output().float()
    scale = max(expected.abs().max().item(), 1e-6)
    error = (actual - expected).abs().max().item() / scale
    if not math.isfinite(error) or error > tolerance:
        raise WrongResult(f"differs from PyTorch by {error:.2g} of the largest value")


def probe_kind(kiln: Kiln, dtype: str, bandwidth_bound: bool) -> str:
    if bandwidth_bound:
        return "read"
    if dtype == "bf16" and "bf16" in kiln.device["instruction_set"]:
        return "bf16"
    return "f32"

"""Kiln's winner against PyTorch on a list of cases: tune what is not tuned, check, take turns."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from benchmarks.buffers import Rotation, sets_needed
from benchmarks.case import Case, Result
from benchmarks.intervals import median
from benchmarks.kiln import Argument, Kiln, KilnError, Problem
from benchmarks.report import Progress
from benchmarks.timing import Contestant, Match, play

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


def sitting(
    kiln: Kiln,
    cases: list[Case],
    limit_seconds: float | None,
    tuning_seconds: float,
    play_case: Callable[[Case, float, Callable[[str], None]], tuple[Result, str]],
) -> tuple[list[Result], list[str]]:
    """The results, and what was left out or failed. With `limit_seconds`, tuning gets the less
    time the more cases remain, and cases that nothing is left for are left out. `play_case` takes
    a case, its seconds for tuning and a listener for what it is about to do, and gives the result
    with a word on it."""
    start = time.monotonic()
    results: list[Result] = []
    problems: list[str] = []
    progress = Progress(len(cases))

    def missed(case: Case, why: str) -> None:
        problems.append(f"{case.title}: {why}")
        progress.finished(problems[-1])

    for index, case in enumerate(cases):
        budget = tuning_budget(start, limit_seconds, len(cases) - index, tuning_seconds)
        if budget is None:
            missed(case, "left out, the time is spent")
            continue
        try:
            kiln.problem(case.family, case.problem)
        except KilnError as error:
            missed(case, f"not admitted: {error}")
            continue
        title = case.title
        try:
            result, word = play_case(case, budget, lambda step: progress.note(f"{title}: {step}"))
        except (KilnError, WrongResult, RuntimeError, MemoryError) as error:
            missed(case, f"FAILED: {error}")
            continue
        results.append(result)
        progress.finished(f"{case.title}: {word}")
    return results, problems


@torch.inference_mode()
def duels(
    kiln: Kiln,
    cases: list[Case],
    discipline: Discipline,
    limit_seconds: float | None,
    tuning_seconds: float,
) -> tuple[list[Result], list[str]]:
    def play_case(case: Case, budget: float, note: Callable[[str], None]) -> tuple[Result, str]:
        note(f"tuning ({budget:.0f} s)")
        tuned = kiln.tune(case.family, case.problem, budget)
        note("measuring")
        result = duel(kiln, case, discipline)
        word = f"{result.kiln:.3g} {result.unit}, ratio {result.ratio:.2f}"
        return result, word + (f", tuned in {tuned['seconds']:.0f} s" if tuned["tuned_now"] else "")

    return sitting(kiln, cases, limit_seconds, tuning_seconds, play_case)


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
    return result_of(
        case,
        problem,
        match,
        group=discipline.group(case),
        peak_fraction=fraction,
        config=kernel.config,
    )


def result_of(case: Case, problem: Problem, match: Match, **more: Any) -> Result:
    work = problem.bytes if problem.bandwidth_bound else problem.flops
    return Result(
        case=case.title,
        kiln=work / median(match.kiln) * 1e-9,
        peers={name: work / seconds * 1e-9 for name, seconds in match.peers.items()},
        unit="GB/s" if problem.bandwidth_bound else "GFLOP/s",
        ratio=match.ratio.median,
        ratio_low=match.ratio.low,
        ratio_high=match.ratio.high,
        **more,
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

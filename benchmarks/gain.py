"""What tuning is worth: the winner against the family's default config, taking turns; and how soon
the search had come within 5 % of its final best."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks import attention, depthwise, gemm
from benchmarks.buffers import Rotation, sets_needed
from benchmarks.case import Case, Result
from benchmarks.duel import MEASURING, Discipline, probe_kind, tuning_budget
from benchmarks.intervals import median
from benchmarks.kiln import Kiln, KilnError
from benchmarks.report import Progress
from benchmarks.timing import Contestant, play

NEAR = 1.05  # of the final best's time
DISCIPLINES = {module.FAMILY: module.DISCIPLINE for module in (attention, depthwise, gemm)}


def subset(cases: list[Case], count: int) -> list[Case]:
    """An even choice that walks through the dtypes: neighbours in the list are one problem's."""
    return [cases[index * len(cases) // count] for index in range(min(count, len(cases)))]


@torch.inference_mode()
def run(
    cases: list[Case], state: Path, limit_seconds: float | None, tuning_seconds: float
) -> tuple[Kiln, list[Result], list[str]]:
    """Tunes every case from nothing, in a state of its own, so that the search starts cold."""
    state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gain-", dir=state) as fresh:
        kiln = Kiln(Path(fresh))
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
                kiln.problem(case.family, case.problem)
            except KilnError as error:
                problems.append(f"{case.title}: not admitted: {error}")
                progress.finished(problems[-1])
                continue
            try:
                progress.note(f"{case.title}: tuning ({budget:.0f} s)")
                tuned = kiln.tune(case.family, case.problem, budget, force=True)
                result = duel(kiln, case, DISCIPLINES[case.family], tuned)
            except (KilnError, RuntimeError, MemoryError) as error:
                problems.append(f"{case.title}: FAILED: {error}")
                progress.finished(problems[-1])
                continue
            results.append(result)
            progress.finished(f"{case.title}: gain {result.ratio:.2f}")
        return kiln, results, problems


def duel(kiln: Kiln, case: Case, discipline: Discipline, tuned: dict[str, Any]) -> Result:
    problem = kiln.problem(case.family, case.problem)
    count = sets_needed(problem.bytes, kiln.device["llc_bytes"], kiln.device["memory_bytes"])
    sets = [discipline.make(case, seed) for seed in range(count)]
    winner = kiln.kernel(case.family, case.problem)
    default = kiln.kernel(case.family, case.problem, default=True)
    try:
        contestants = [
            Contestant(
                name, Rotation([kernel.bind(each.for_kiln(kernel.arguments)) for each in sets])
            )
            for name, kernel in (("winner", winner), ("default config", default))
        ]
        kind = probe_kind(kiln, case.dtype, problem.bandwidth_bound)
        match = play(contestants[0], contestants[1:], lambda: kiln.probe(kind), MEASURING)
    finally:
        winner.close()
        default.close()
    work = problem.bytes if problem.bandwidth_bound else problem.flops
    return Result(
        case=case.title,
        kiln=work / median(match.kiln) * 1e-9,
        peers={name: work / seconds * 1e-9 for name, seconds in match.peers.items()},
        unit="GB/s" if problem.bandwidth_bound else "GFLOP/s",
        ratio=match.ratio.median,
        ratio_low=match.ratio.low,
        ratio_high=match.ratio.high,
        group=case.family,
        config=winner.config,
        extra=convergence(tuned),
    )


def convergence(tuned: dict[str, Any]) -> dict[str, float]:
    """Evaluations and seconds until a variant within 5 % of the best one had been measured."""
    good = [
        (number, each["at_seconds"], each["median_ns"])
        for number, each in enumerate(tuned["measurements"], 1)
        if each["verdict"] == "ok"
    ]
    if not good:
        return {}
    best = min(time_ns for _, _, time_ns in good)
    number, seconds, _ = next(each for each in good if each[2] <= NEAR * best)
    return {
        "evaluations": tuned["evaluations"],
        "evaluations to 5 %": number,
        "seconds": round(tuned["seconds"], 2),
        "seconds to 5 %": round(seconds, 2),
    }

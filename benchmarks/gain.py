"""What tuning is worth: the winner against the family's default config, taking turns; and how soon
the search had come within 5 % of its final best."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks import attention, depthwise, gemm
from benchmarks.buffers import Rotation, sets_needed
from benchmarks.case import Case, Result
from benchmarks.duel import MEASURING, Discipline, probe_kind, result_of, sitting
from benchmarks.kiln import Kiln
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

        def play_case(case: Case, budget: float, note: Callable[[str], None]) -> tuple[Result, str]:
            note(f"tuning ({budget:.0f} s)")
            tuned = kiln.tune(case.family, case.problem, budget, force=True)
            result = duel(kiln, case, DISCIPLINES[case.family], tuned)
            return result, f"gain {result.ratio:.2f}"

        return kiln, *sitting(kiln, cases, limit_seconds, tuning_seconds, play_case)


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
    return result_of(
        case,
        problem,
        match,
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

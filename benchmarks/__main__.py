"""python -m benchmarks NAME [--all] [--shapes FILE] [--output json]: see scripts/bench."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks import attention, compile, depthwise, gain, gemm, report, service, shapes
from benchmarks.case import Case, Result
from benchmarks.duel import LONGEST_TUNING, duels
from benchmarks.kiln import BUILD, Kiln, KilnError

SUBSET_SECONDS = 560.0  # a run without --all
# Of a file named with --shapes.
SUBSET_PROBLEMS = {"attention": 16, "depthwise": 36, "gemm": 20, "gain": 12}
FAMILIES = {"attention": attention, "depthwise": depthwise, "gemm": gemm}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("name", choices=[*FAMILIES, "service", "gain", "compile"])
    parser.add_argument("--all", action="store_true", help="every problem, not a subset")
    parser.add_argument("--shapes", type=Path, metavar="FILE", help="problems from this file")
    parser.add_argument("--output", choices=["table", "json"], default="table")
    parser.add_argument(
        "--tuning",
        type=float,
        default=LONGEST_TUNING,
        metavar="SECONDS",
        help="longest tuning of a case (default %(default)s)",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=BUILD / "bench",
        help="where winners are kept between runs (default build/bench)",
    )
    return parser.parse_args()


def threads() -> int:
    return len(os.sched_getaffinity(0))


def machine(kiln: Kiln) -> dict[str, Any]:
    rates = {"f32_gflops": kiln.probe("f32") * 1e-9, "read_gb_s": kiln.probe("read") * 1e-9}
    rates["copy_gb_s"] = kiln.probe("copy") * 1e-9
    if "bf16" in kiln.device["instruction_set"]:
        rates["bf16_gflops"] = kiln.probe("bf16") * 1e-9
    described = {
        name: kiln.device[name]
        for name in ("model", "instruction_set", "threads", "llc_bytes", "toolchain")
    }
    return described | rates | {"torch": torch.__version__}


def thinned(cases: list[Case], options: argparse.Namespace) -> list[Case]:
    """Of a file of problems never seen before, an even choice of as many as the time allows."""
    limit = SUBSET_PROBLEMS[options.name]
    names = list(dict.fromkeys(case.name + str(case.layout) for case in cases))
    if options.all or options.shapes is None or len(names) <= limit:
        return cases
    chosen = {names[index * len(names) // limit] for index in range(limit)}
    return [case for case in cases if case.name + str(case.layout) in chosen]


def read_cases(name: str, options: argparse.Namespace) -> list[Case]:
    module = FAMILIES[name]
    path = options.shapes or shapes.default_file(name, options.all)
    return thinned(list(module.cases(shapes.read(path, module.COLUMNS))), options)


def gain_cases(options: argparse.Namespace) -> list[Case]:
    if options.shapes is not None:
        header = options.shapes.read_text(encoding="utf-8").partition("\n")[0]
        marks = {"kh": "depthwise", "head_dim": "attention"}
        named = [name for mark, name in marks.items() if mark in header.split(",")]
        cases = read_cases(named[0] if named else "gemm", options)
    else:
        every = [read_cases(name, options) for name in FAMILIES]
        if not options.all:
            every = [gain.subset(cases, SUBSET_PROBLEMS["gain"] // len(every)) for cases in every]
        cases = [case for each in every for case in each]
    return cases


Outcome = tuple[dict[str, Any], list[Result], list[str]]


def run(options: argparse.Namespace) -> Outcome:
    torch.set_num_threads(threads())
    if options.name == "service":
        return service.run()
    limit = None if options.all else SUBSET_SECONDS
    if options.name == "gain":
        kiln, results, problems = gain.run(
            gain_cases(options), options.state, limit, options.tuning
        )
    else:
        kiln = Kiln(options.state)
        cases = read_cases(options.name, options)
        discipline = FAMILIES[options.name].DISCIPLINE
        results, problems = duels(kiln, cases, discipline, limit, options.tuning)
    return machine(kiln), results, problems


def reported(options: argparse.Namespace) -> tuple[str, bool, list[str]]:
    """The report, whether it holds anything, and what was left out or is wrong."""
    as_json = options.output == "json"
    if options.name == "compile":
        path = options.shapes or shapes.default_file(options.name, options.all)
        limit = None if options.all else SUBSET_SECONDS
        described, cells, problems = compile.run(path, options.all, limit, options.state)
        body = compile.as_json(described, cells) if as_json else compile.table(cells)
        filled = bool(cells)
    else:
        described, results, problems = run(options)
        body = report.as_json(options.name, described, results) if as_json else report.table(results)
        filled = bool(results)
    if not as_json:
        head = "  ".join(f"{name}: {value}" for name, value in described.items())
        body = f"{head}\n{body}"
    return body, filled, problems


def main() -> int:
    options = arguments()
    try:
        body, filled, problems = reported(options)
    except (KilnError, shapes.ShapesError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(body)
    for problem in problems:
        print(problem, file=sys.stderr)
    failed = any("FAILED" in problem for problem in problems)
    return 1 if failed or not filled else 0


if __name__ == "__main__":
    sys.exit(main())

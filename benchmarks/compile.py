"""What the spaces of GPU targets admit and what becomes of it, by the vendors' compilers alone: no
GPU is needed. For every problem and target: how many configs the space admits; of those tried, how
many are usable, which were pruned and why, and which did not compile; and what the default config
takes, read from its machine code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import report, shapes
from benchmarks.kiln import BUILD, KilnError

COLUMNS = ("name", "problem")
# What is compiled for: the column's name, and how tunectl is told.
TARGETS = {name: ["--target", name] for name in ("sm_80", "sm_90a", "sm_120", "gfx90a", "gfx942")}
TARGETS |= {"gfx90a clang": ["--target", "gfx90a", "--compiler", "clang++-19"]}
TARGETS |= {name: ["--target", name] for name in ("gfx1100", "gfx1201")}
SAMPLE = 3  # configs of each space without --all, beside the default
LONGEST_CELL = 3600.0  # seconds
LAST_CELLS = 40.0  # seconds of a limited time that those begun last may take


@dataclass
class Cell:
    """A problem on a target. Counts are of configs; `default` is None where it does not compile."""

    case: str
    target: str
    admitted: int = 0
    tried: int = 0
    usable: int = 0
    pruned: dict[str, int] = field(default_factory=dict)  # by reason
    failed: list[str] = field(default_factory=list)  # config: what the compiler said
    default: dict[str, Any] | None = None
    toolchain: str = ""
    defects: list[str] = field(default_factory=list)


Outcome = tuple[dict[str, Any], list[Cell], list[str]]


def run(path: Path, everything: bool, limit_seconds: float | None, state: Path) -> Outcome:
    """The cells, and what is wrong with them or was left out when the time was over."""
    rows = shapes.read(path, COLUMNS)
    places = rotated(rows)
    processors = len(os.sched_getaffinity(0))
    # A whole space keeps all processors busy by itself, but for its end.
    at_once = 2 if everything else max(2, processors // SAMPLE)
    end = None if limit_seconds is None else time.monotonic() + limit_seconds - LAST_CELLS
    progress = report.Progress(len(places))

    def examine(place: tuple[shapes.Row, str]) -> Cell | None:
        row, target = place
        if end is not None and time.monotonic() > end:
            return None
        cell = examined(row, target, everything, state)
        word = f"{cell.usable} of {cell.tried} usable" if not cell.defects else cell.defects[0]
        progress.finished(f"{cell.case} {cell.target}: {word}")
        return cell

    with ThreadPoolExecutor(at_once) as pool:
        found = list(pool.map(examine, places))
    problems = [
        f"{row['name']} {target}: left out, no time"
        for (row, target), cell in zip(places, found, strict=True)
        if cell is None
    ]
    order = {(row["name"], target): i for i, (row, target) in enumerate(in_order(rows))}
    cells = sorted((cell for cell in found if cell), key=lambda c: order[c.case, c.target])
    problems += [f"{c.case} {c.target}: FAILED: {defect}" for c in cells for defect in c.defects]
    return described(cells, everything), cells, problems


def in_order(rows: list[shapes.Row]) -> list[tuple[shapes.Row, str]]:
    return [(row, target) for row in rows for target in TARGETS]


def rotated(rows: list[shapes.Row]) -> list[tuple[shapes.Row, str]]:
    """All places, so that wherever time ends the rest is spread over problems and targets."""
    targets = list(TARGETS)
    return [
        (row, targets[(index + turn) % len(targets)])
        for turn in range(len(targets))
        for index, row in enumerate(rows)
    ]


def tunectl(words: list[str], state: Path) -> dict[str, Any]:
    """tunectl's document; it is printed also where some variant is not usable."""
    command = [str(BUILD / "bin" / "tunectl"), "compile", *words]
    command += ["--output", "json", "-q", "--state-dir", str(state)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=LONGEST_CELL
    )
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise KilnError(f"{' '.join(words)}: {done.stderr.strip()}") from None
    if "target" not in document:
        raise KilnError(f"{' '.join(words)}: {done.stdout.strip()}")
    return document


def examined(row: shapes.Row, target: str, everything: bool, state: Path) -> Cell:
    cell = Cell(case=row["name"], target=target)
    words = row["problem"].split() + TARGETS[target]
    try:
        examine_default(cell, tunectl(words, state))
        sample = [] if everything else ["--sample", str(SAMPLE)]
        count(cell, tunectl([*words, "--all", *sample], state))
    except (KilnError, subprocess.TimeoutExpired) as error:
        cell.defects.append(str(error))
    return cell


def count(cell: Cell, document: dict[str, Any]) -> None:
    variants = document["variants"]
    cell.admitted, cell.tried = document["admitted"], len(variants)
    cell.usable = sum(variant["outcome"] == "ok" for variant in variants)
    # Reasons alike but for their numbers are one.
    pruned = Counter(
        re.sub(r"\d+", "N", variant["reason"])
        for variant in variants
        if variant["outcome"] == "pruned"
    )
    cell.pruned = dict(pruned.most_common())
    for variant in variants:
        if variant["outcome"] == "failed":
            cell.failed.append(f"{text(variant['config'])}: {variant['reason']}")
    if cell.failed:
        cell.defects.append(f"{len(cell.failed)} do not compile; {cell.failed[0]}")


def text(config: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in config.items())


def examine_default(cell: Cell, document: dict[str, Any]) -> None:
    """Of all kernels of the plan: the most that one takes, and the sum of matrix instructions."""
    resources = document["resources"]
    entries = resources["entries"]

    def most(name: str) -> int:
        return max(entry[name] for entry in entries)

    counts = [entry["matrix_instructions"] for entry in entries]
    occupancies = [entry["occupancy"] for entry in entries if entry["occupancy"]]
    config = text(document["config"])
    cell.toolchain = document["artifact"]["toolchain"]
    cell.default = {
        "config": config,
        "registers": most("registers"),
        "spill_bytes": most("spill_bytes"),
        "stack_bytes": most("stack_bytes"),
        "scratchpad_bytes": most("scratchpad_bytes"),
        "occupancy": min((each["fraction"] for each in occupancies), default=0.0),
        "occupancy_limit": min(
            occupancies, key=lambda each: each["fraction"], default={"limit": ""}
        )["limit"],
        "matrix_instructions": None if None in counts else sum(counts),
    }
    if not resources["usable"]:
        cell.defects.append(f"the default is refused: {resources['reason']}")
    elif cell.default["spill_bytes"]:
        cell.defects.append(f"the default spills {cell.default['spill_bytes']} bytes")
    claimed = re.search(r"fragment=(?!fma)\S+", config)
    if claimed and cell.default["matrix_instructions"] == 0:
        cell.defects.append(f"the default has {claimed[0]}, its machine code no such instruction")


def described(cells: list[Cell], everything: bool) -> dict[str, Any]:
    compilers = {cell.target: cell.toolchain for cell in cells if cell.toolchain}
    tried = "every config" if everything else f"{SAMPLE} configs of each space, evenly spread"
    return {"tried": tried} | compilers


def as_json(machine: dict[str, Any], cells: list[Cell]) -> str:
    document = {
        "benchmark": "compile",
        "machine": machine,
        "cases": [asdict(cell) for cell in cells],
        "summary": totals(cells),
    }
    return json.dumps(document, indent=2)


def totals(cells: list[Cell]) -> dict[str, int]:
    return {
        "admitted": sum(cell.admitted for cell in cells),
        "tried": sum(cell.tried for cell in cells),
        "usable": sum(cell.usable for cell in cells),
        "pruned": sum(sum(cell.pruned.values()) for cell in cells),
        "failed": sum(len(cell.failed) for cell in cells),
        "defects": sum(len(cell.defects) for cell in cells),
    }


def table(cells: list[Cell]) -> str:
    rows = [
        ["case", "target", "admitted", "tried", "usable", "pruned", "failed"]
        + ["registers", "spilled", "stack", "scratchpad", "occupancy", "matrix"]
    ]
    for cell in cells:
        counts = [cell.admitted, cell.tried, cell.usable, sum(cell.pruned.values())]
        row = [cell.case, cell.target, *map(str, counts), str(len(cell.failed))]
        if (d := cell.default) is not None:
            row += [str(d["registers"]), str(d["spill_bytes"]), str(d["stack_bytes"])]
            row += [str(d["scratchpad_bytes"]), f"{100 * d['occupancy']:.0f} %"]
            row.append("" if d["matrix_instructions"] is None else str(d["matrix_instructions"]))
        rows.append(row + [""] * (len(rows[0]) - len(row)))
    lines = report.aligned(rows, left=(0, 1))
    lines += ["", "From registers on: the default config; bytes of a thread (scratchpad: a block)."]
    lines += [f"{name}: {value}" for name, value in totals(cells).items()]
    reasons: Counter[str] = Counter()
    for cell in cells:
        for reason, times in cell.pruned.items():
            reasons[f"{cell.target}: {reason}"] += times
    lines += [f"pruned, {reason}: {times}" for reason, times in sorted(reasons.items())]
    return "\n".join(lines)

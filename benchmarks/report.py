"""What a benchmark prints: a table for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from benchmarks.case import Result
from benchmarks.intervals import geometric_mean

TIMES = ("ns", "us", "ms", "s")  # units of which less is better


def summary(results: list[Result]) -> dict[str, float]:
    ratios = [result.ratio for result in results]
    if not ratios:
        return {}
    return {"geomean_ratio": geometric_mean(ratios), "min_ratio": min(ratios)}


def groups(results: list[Result]) -> dict[str, dict[str, float]]:
    names = list(dict.fromkeys(result.group for result in results if result.group))
    return {name: summary([r for r in results if r.group == name]) for name in names}


def as_json(benchmark: str, machine: dict[str, Any], results: list[Result]) -> str:
    cases = []
    for result in results:
        case: dict[str, Any] = {
            "case": result.case,
            "kiln": result.kiln,
            "peers": result.peers,
            "unit": result.unit,
            "ratio": result.ratio,
            "ratio_low": result.ratio_low,
            "ratio_high": result.ratio_high,
        }
        if result.peak_fraction is not None:
            case["peak_fraction"] = result.peak_fraction
        if result.config:
            case["config"] = result.config
        cases.append(case | result.extra)
    document = {
        "benchmark": benchmark,
        "machine": machine,
        "cases": cases,
        "summary": summary(results),
    }
    if groups(results):
        document["groups"] = groups(results)
    return json.dumps(document, indent=2)


def table(results: list[Result]) -> str:
    """Kiln, its best peer, the ratio to it with its 95 % interval, the part of the peak."""
    extra = list(dict.fromkeys(name for result in results for name in result.extra))
    with_fraction = any(result.peak_fraction is not None for result in results)
    header = ["case", "Kiln", "best peer", "", "unit", "ratio", "95 % interval"]
    header += ["of peak"] if with_fraction else []
    rows = [header + extra]
    for result in results:
        best = (min if result.unit in TIMES else max)(result.peers, key=result.peers.__getitem__)
        row = [
            result.case,
            number(result.kiln),
            number(result.peers[best]),
            best,
            result.unit,
            f"{result.ratio:.2f}",
            f"{result.ratio_low:.2f} - {result.ratio_high:.2f}",
        ]
        if with_fraction:
            part = result.peak_fraction
            row.append("" if part is None else f"{100 * part:.0f} %")
        row += [number(result.extra[name]) if name in result.extra else "" for name in extra]
        rows.append(row)
    lines = aligned(rows, left=(0, 3, 4))
    notes = []
    for name, figures in (groups(results) | {"all": summary(results)}).items():
        if figures:
            notes.append(
                f"{name}: geometric mean of the ratios {figures['geomean_ratio']:.2f}, "
                f"smallest {figures['min_ratio']:.2f}"
            )
    return "\n".join([*lines, "", *notes])


def aligned(rows: list[list[str]], left: tuple[int, ...]) -> list[str]:
    """Lines of a table whose first row is its header; columns not in `left` end at their right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(len(line) for line in lines))
    return lines


def number(value: float) -> str:
    if value == 0 or value >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"


class Progress:
    """One line for each case on standard error, which the report on standard output leaves free."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def note(self, text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K[{self._done + 1}/{self._total}] {text}", end="", file=sys.stderr)
        sys.stderr.flush()

    def finished(self, text: str) -> None:
        self._done += 1
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        print(f"{start}[{self._done}/{self._total}] {text}", file=sys.stderr, flush=True)


def say(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr, flush=True)

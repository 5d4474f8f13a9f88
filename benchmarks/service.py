"""Latencies of the daemon over its Unix socket and of the client's own cache; the measuring program
is benchmarks/service/main.cpp."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from benchmarks.case import Result
from benchmarks.intervals import median, median_interval
from benchmarks.kiln import BUILD, KilnError


def run() -> tuple[dict[str, Any], list[Result], list[str]]:
    done = subprocess.run(
        [str(BUILD / "bin" / "kiln-bench-service"), str(BUILD / "bin" / "kilnd")],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise KilnError(f"kiln-bench-service: {done.stderr.strip()}")
    document = json.loads(done.stdout)
    return machine(), [result(case) for case in document["rounds"]], []


def result(case: dict[str, Any]) -> Result:
    ratio = median_interval(
        [theirs / ours for ours, theirs in zip(case["kiln"], case["peer"], strict=True)]
    )
    return Result(
        case=case["name"],
        kiln=median(case["kiln"]),
        peers={case["peer_name"]: median(case["peer"])},
        unit=case["unit"],
        ratio=ratio.median,
        ratio_low=ratio.low,
        ratio_high=ratio.high,
    )


def machine() -> dict[str, Any]:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {"model": models[0] if models else "unknown", "threads": len(models)}

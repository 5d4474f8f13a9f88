"""compare.py REPORT [SECONDS]: PyTorch on the shapes that the self-test tuned.

For every tuned attention and depthwise convolution of the report, the same problem with each back end
of scaled_dot_product_attention, and with cuDNN's (or MIOpen's) convolution; the results go into the
report's "benchmarks". Like Kiln's, times are medians of cold launches: another buffer is written
between them. Kiln was timed minutes before by its own clock, not in turns: differences of a few
percent say nothing.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "math": SDPBackend.MATH,
}
FLUSHED_BYTES = 512 << 20
LAUNCHES = 30
LAUNCH_SECONDS = 1.5  # of a contestant at most


class Clock:
    """Times launches, each after something else went through the caches."""

    def __init__(self, device: str) -> None:
        self.gpu = device == "cuda"
        self.flushed = torch.empty(FLUSHED_BYTES, dtype=torch.int8, device=device)

    def once(self, launch: Callable[[], Any]) -> float:
        self.flushed.zero_()
        if not self.gpu:
            start = time.perf_counter_ns()
            launch()
            return float(time.perf_counter_ns() - start)
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        launch()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) * 1e6

    def median(self, launch: Callable[[], Any]) -> float:
        for _ in range(2):
            launch()
        samples: list[float] = []
        start = time.monotonic()
        while len(samples) < 3 or (
            len(samples) < LAUNCHES and time.monotonic() < start + LAUNCH_SECONDS
        ):
            samples.append(self.once(launch))
        return statistics.median(samples)


def attention(problem: dict[str, Any], device: str) -> dict[str, Callable[[], Any]]:
    dtype = DTYPES[problem["dtype"]]

    def tensor(heads: int, length: int) -> torch.Tensor:
        shape = (problem["batch"], heads, length, problem["head_dim"])
        if problem["layout"] == "bshd":
            shape = (shape[0], shape[2], shape[1], shape[3])
            return torch.randn(shape, device=device, dtype=dtype).transpose(1, 2)
        return torch.randn(shape, device=device, dtype=dtype)

    q = tensor(problem["heads_q"], problem["seq_q"])
    k = tensor(problem["heads_kv"], problem["seq_kv"])
    v = tensor(problem["heads_kv"], problem["seq_kv"])
    # PyTorch aligns the mask to the first key: the same for equal lengths, none for one query.
    causal = problem["causal"] and problem["seq_q"] > 1
    if causal and problem["seq_q"] != problem["seq_kv"]:
        return {}
    if problem["window_left"] != -1 or problem["window_right"] != -1 or problem["softcap"] != 0:
        return {}
    grouped = problem["heads_q"] != problem["heads_kv"]

    def contestant(backend: SDPBackend) -> Callable[[], Any]:
        def launch() -> Any:
            with sdpa_kernel(backend):
                return F.scaled_dot_product_attention(
                    q, k, v, is_causal=causal, enable_gqa=grouped
                )

        return launch

    names = BACKENDS if device == "cuda" else {"flash": BACKENDS["flash"], "math": BACKENDS["math"]}
    return {name: contestant(backend) for name, backend in names.items()}


def depthwise(problem: dict[str, Any], device: str) -> dict[str, Callable[[], Any]]:
    if problem["activation"] != "none":
        return {}
    dtype = DTYPES[problem["dtype"]]
    channels = problem["channels"]
    shape = (problem["batch"], channels, problem["height"], problem["width"])
    order = torch.channels_last if problem["layout"] == "NHWC" else torch.contiguous_format
    x = torch.randn(shape, device=device, dtype=dtype).to(memory_format=order)
    kernel = (channels, 1, problem["kernel_h"], problem["kernel_w"])
    w = torch.randn(kernel, device=device, dtype=dtype).to(memory_format=order)
    b = torch.randn(channels, device=device, dtype=dtype) if problem["bias"] else None
    stride = (problem["stride_h"], problem["stride_w"] or problem["stride_h"])
    dilation = (problem["dilation_h"], problem["dilation_w"] or problem["dilation_h"])
    padding = (problem["pad_h"], problem["pad_w"])

    def launch() -> Any:
        return F.conv2d(x, w, b, stride, padding, dilation, channels)

    def own() -> Any:
        # PyTorch's own depthwise kernels, which it prefers to cuDNN's for some shapes.
        with torch.backends.cudnn.flags(enabled=False):
            return launch()

    return {"cudnn": launch, "pytorch": own} if device == "cuda" else {"mkldnn": launch}


FAMILIES = {"attention_forward": attention, "depthwise_conv2d_forward": depthwise}


def compare(winner: dict[str, Any], clocks: dict[str, Clock]) -> dict[str, Any]:
    device = "cpu" if winner["device"]["kind"] == "host" else "cuda"
    row: dict[str, Any] = {
        "family": winner["family"],
        "problem": winner["problem_text"],
        "fingerprint": winner["device"]["fingerprint"],
        "kiln_ns": winner["winner"]["timing"]["median_ns"],
        "peers": {},
    }
    if device not in clocks:
        clocks[device] = Clock(device)
    for name, launch in FAMILIES[winner["family"]](winner["problem"], device).items():
        try:
            row["peers"][name] = {"median_ns": clocks[device].median(launch)}
        except (RuntimeError, TypeError) as error:  # a back end that does not take the problem
            row["peers"][name] = {"error": str(error).strip().partition("\n")[0][:300]}
    return row


def show(row: dict[str, Any]) -> None:
    times = {name: peer["median_ns"] for name, peer in row["peers"].items() if "median_ns" in peer}
    cells = [f"{name} {ns * 1e-3:.4g} µs" for name, ns in sorted(times.items(), key=lambda t: t[1])]
    best = min(times.values(), default=0.0)
    ratio = f"{best / row['kiln_ns']:.2f}×" if best else "no peer"
    print(f"{ratio:>8}  kiln {row['kiln_ns'] * 1e-3:.4g} µs  {'  '.join(cells)}  {row['problem']}")


def main() -> int:
    path = sys.argv[1]
    deadline = time.monotonic() + float(sys.argv[2] if len(sys.argv) > 2 else 120)
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    rows: list[dict[str, Any]] = []
    skipped = 0
    clocks: dict[str, Clock] = {}
    for winner in report.get("export", {}).get("winners", []):
        host = winner["device"]["kind"] == "host"
        if winner["family"] not in FAMILIES or not (host or torch.cuda.is_available()):
            continue
        if time.monotonic() > deadline:
            skipped += 1
            continue
        rows.append(compare(winner, clocks))
        show(rows[-1])
    described = {"torch": torch.__version__, "rows": rows, "skipped": skipped}
    if torch.cuda.is_available():
        described["gpu"] = torch.cuda.get_device_name()
        described["cudnn"] = torch.backends.cudnn.version()
    report["benchmarks"] = described
    with open(path, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=2, sort_keys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

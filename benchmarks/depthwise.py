"""Depthwise convolution forward against torch.nn.functional.conv2d.

The rows' own layout is kept on both sides: NCHW is contiguous in PyTorch's words, NHWC
channels-last. FLOPs are 2 * N * C * Ho * Wo * kh * kw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch.nn import functional

from benchmarks.case import Case
from benchmarks.duel import Discipline
from benchmarks.kiln import DTYPES, Argument
from benchmarks.shapes import Row, integer

FAMILY = "depthwise_conv2d_forward"
SIZES = ("N", "C", "H", "W", "kh", "kw", "stride", "pad_h", "pad_w", "dilation")
COLUMNS = ("model", "op", "variant", *SIZES, "layout", "dtype", "bias")
VARIANTS = ("plain", "inception_branch")

LARGEST_BATCH = 8
LARGEST_GFLOP = 60.0  # the batch is cut further to stay below

# Largest |difference| from a computation in f32, relative to the largest |value|.
TOLERANCE = {"f32": 1e-4, "f16": 5e-3, "bf16": 4e-2}

Run = Callable[[], torch.Tensor]


def cases(rows: list[Row]) -> Iterator[Case]:
    """The distinct plain and inception-branch forward rows, the batch cut."""
    seen = set()
    for row in rows:
        if row["op"] != "fwd" or row["variant"] not in VARIANTS:
            continue
        size = {name: integer(row, name) for name in SIZES}
        macs = size["C"] * size["H"] * size["W"] * size["kh"] * size["kw"] / size["stride"] ** 2
        fitting = int(LARGEST_GFLOP / (2e-9 * macs))
        size["N"] = max(1, min(size["N"], LARGEST_BATCH, fitting))
        fields = {name: str(value) for name, value in size.items()}
        fields |= {"layout": row["layout"], "dtype": row["dtype"]}
        fields["bias"] = "true" if integer(row, "bias") else "false"
        key = tuple(fields.values())
        if key in seen:
            continue
        seen.add(key)
        name = f"{row['model']}-{size['C']}x{size['H']}x{size['W']}-{size['kh']}x{size['kw']}"
        if size["stride"] > 1:
            name += f"s{size['stride']}"
        yield Case(name, FAMILY, row["dtype"], row["layout"], fields)


class Tensors:
    """One set of tensors of a case; x and y are [N, C, H, W] with the layout in their strides."""

    def __init__(self, case: Case, seed: int) -> None:
        fields = case.fields
        size = {name: int(fields[name]) for name in SIZES}
        self.stride, self.dilation = size["stride"], size["dilation"]
        self.padding = (size["pad_h"], size["pad_w"])
        self.channels = size["C"]
        generator = torch.Generator().manual_seed(seed)
        dtype = DTYPES[case.dtype]
        channels_last = case.layout == "NHWC"
        memory = torch.channels_last if channels_last else torch.contiguous_format

        def make(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=generator).to(dtype)

        x = make(size["N"], size["C"], size["H"], size["W"])
        self.x = x.to(memory_format=memory)
        # Weights of unit variance in the sum, so that results stay of order one.
        taps = size["kh"] * size["kw"]
        self.w = make(size["C"], 1, size["kh"], size["kw"]) / math.sqrt(taps)
        self.bias = make(size["C"]) if fields["bias"] == "true" else None
        self.y = torch.full_like(self.convolution()(), math.nan)

    def for_kiln(self, arguments: Sequence[Argument]) -> dict[str, torch.Tensor]:
        """As the family documents them: x, y [n, c, h, w], w [c, kernel_h, kernel_w]."""
        tensors = {"x": self.x, "w": self.w.squeeze(1), "y": self.y}
        if self.bias is not None:
            tensors["b"] = self.bias
        return tensors

    def output(self) -> torch.Tensor:
        return self.y

    def peers(self) -> dict[str, Run]:
        return {"torch": self.convolution()}

    def convolution(self) -> Run:
        return lambda: functional.conv2d(
            self.x,
            self.w,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.channels,
        )

    def reference(self) -> torch.Tensor:
        return functional.conv2d(
            self.x.float(),
            self.w.float(),
            None if self.bias is None else self.bias.float(),
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.channels,
        )


DISCIPLINE = Discipline(make=Tensors, tolerance=TOLERANCE, group=lambda case: case.layout or "")

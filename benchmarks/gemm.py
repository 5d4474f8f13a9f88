"""Matrix products with epilogues against PyTorch's linear, addmm and matmul (MKL, oneDNN).

FLOPs are 2 * batch * m * n * k. PyTorch takes part with its fastest setting: the right operand as
the case has it, or laid out the other way before.
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

FAMILY = "gemm"
SIZES = ("batch", "m", "n", "k")
FLAGS = ("transpose_a", "transpose_b", "residual")
COLUMNS = ("name", *SIZES, *FLAGS, "bias", "activation")
DTYPE_NAMES = ("f32", "bf16")

# Largest |difference| from a computation in f32, relative to the largest |value|.
TOLERANCE = {"f32": 1e-4, "f16": 5e-3, "bf16": 4e-2}

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "none": lambda x: x,
    "relu": functional.relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
}

Run = Callable[[], torch.Tensor]


def cases(rows: list[Row]) -> Iterator[Case]:
    """Every row in every dtype."""
    for row in rows:
        fields = {name: str(integer(row, name)) for name in SIZES}
        fields |= {name: "true" if integer(row, name) else "false" for name in FLAGS}
        fields |= {"bias": row["bias"], "activation": row["activation"]}
        for dtype in DTYPE_NAMES:
            yield Case(row["name"], FAMILY, dtype, None, {**fields, "dtype": dtype})


class Tensors:
    """One set of tensors of a case: `a` [batch, m, k], `b` [batch, k, n], as they lie."""

    def __init__(self, case: Case, seed: int) -> None:
        fields = case.fields
        batch, m, n, k = (int(fields[name]) for name in SIZES)
        generator = torch.Generator().manual_seed(seed)
        dtype = DTYPES[case.dtype]

        def make(*shape: int, transposed: bool = False) -> torch.Tensor:
            if transposed:
                return make(*shape[:-2], shape[-1], shape[-2]).transpose(-1, -2)
            return torch.randn(*shape, generator=generator).to(dtype)

        self.a = make(batch, m, k, transposed=fields["transpose_a"] == "true")
        # Products of unit variance, so that results stay of order one.
        self.b = make(batch, k, n, transposed=fields["transpose_b"] == "true") / math.sqrt(k)
        self.bias_of = fields["bias"]
        length = {"none": 0, "rows": m, "columns": n}[self.bias_of]
        self.bias = make(length) if length else None
        self.c = make(batch, m, n) if fields["residual"] == "true" else None
        self.activation = ACTIVATIONS[fields["activation"]]
        self.d = torch.full((batch, m, n), math.nan, dtype=dtype)

    def for_kiln(self, _arguments: Sequence[Argument]) -> dict[str, torch.Tensor]:
        tensors = {"a": self.a, "b": self.b, "d": self.d}
        if self.bias is not None:
            tensors["bias"] = self.bias
        if self.c is not None:
            tensors["c"] = self.c
        return tensors

    def output(self) -> torch.Tensor:
        return self.d

    def product(self, b: torch.Tensor) -> Run:
        """Without the batch where there is one product only, as PyTorch's users write it."""
        a, c, bias = self.a, self.c, self.bias
        if a.shape[0] == 1:
            a, b = a[0], b[0]
            c = None if c is None else c[0]
        as_weight = b.transpose(-1, -2)

        def run() -> torch.Tensor:
            if bias is None:
                x = torch.matmul(a, b)
            elif self.bias_of == "columns":
                x = functional.linear(a, as_weight, bias)
            else:
                x = torch.matmul(a, b) + bias[:, None]
            x = self.activation(x)
            return x if c is None else x + c

        return run

    def reference(self) -> torch.Tensor:
        x = torch.matmul(self.a.float(), self.b.float())
        if self.bias is not None:
            bias = self.bias.float()
            x = x + (bias[:, None] if self.bias_of == "rows" else bias)
        x = self.activation(x)
        return x if self.c is None else x + self.c.float()

    def peers(self) -> dict[str, Run]:
        """PyTorch's settings by name."""
        other = self.b.transpose(-1, -2).contiguous().transpose(-1, -2)
        if other.stride() == self.b.stride():
            other = self.b.contiguous()
        return {"torch": self.product(self.b), "torch b turned": self.product(other)}


DISCIPLINE = Discipline(make=Tensors, tolerance=TOLERANCE, group=lambda case: case.dtype)

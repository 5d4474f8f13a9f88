"""Attention forward against torch.nn.functional.scaled_dot_product_attention.

FLOPs are 4 * batch * heads_q * A * head_dim with A the (query, key) pairs that the mask leaves,
seq * seq / 2 where a square causal mask leaves half. PyTorch takes part with its fastest setting:
heads or tokens outermost in memory, keys and values shared by query heads or expanded before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch.nn import functional

from benchmarks.case import Case
from benchmarks.duel import Discipline
from benchmarks.kiln import DTYPES, Argument
from benchmarks.shapes import Row, ShapesError, integer

FAMILY = "attention_forward"
COLUMNS = ("name", "batch", "heads_q", "heads_kv", "seq_q", "seq_kv", "head_dim", "causal")
DTYPE_NAMES = ("f32", "bf16", "f16")

LARGEST_GFLOP = 60.0  # at batch 1: rows beyond are left out
BATCH_GFLOP = 4.0  # the batch is cut to stay below these
BATCH_BYTES = 300e6  # of f32 arguments

# Largest |difference| from a computation in f32, relative to the largest |value|.
TOLERANCE = {"f32": 1e-4, "f16": 5e-3, "bf16": 4e-2}

Run = Callable[[], torch.Tensor]


def cases(rows: list[Row]) -> Iterator[Case]:
    """Every distinct problem of the rows in every dtype, the batch cut."""
    seen = set()
    for row in rows:
        size = {name: integer(row, name) for name in COLUMNS[1:]}
        window = int(row.get("window_left") or -1)
        softcap = float(row.get("softcap") or 0)
        scale = float(row.get("softmax_scale") or 0)
        if min(size["batch"], size["heads_q"], size["heads_kv"], size["head_dim"]) < 1:
            raise ShapesError(f"{row['name']}: sizes must be positive")
        pairs = size["seq_q"] * size["seq_kv"] / (2 if size["causal"] and size["seq_q"] > 1 else 1)
        gflop = 4e-9 * size["heads_q"] * pairs * size["head_dim"]
        if gflop > LARGEST_GFLOP:
            continue
        arguments = (
            8
            * size["head_dim"]
            * (size["heads_q"] * size["seq_q"] + size["heads_kv"] * size["seq_kv"])
        )
        fitting = min(BATCH_GFLOP / max(gflop, 1e-9), BATCH_BYTES / max(arguments, 1))
        size["batch"] = max(1, min(size["batch"], int(fitting)))
        key = (*size.values(), window, softcap, scale)
        if key in seen:
            continue
        seen.add(key)
        fields = {name: str(value) for name, value in size.items()}
        fields["causal"] = "true" if size["causal"] else "false"
        if window >= 0:
            fields["window_left"] = str(window)
        if softcap:
            fields["softcap"] = str(softcap)
        if scale:
            fields["softmax_scale"] = str(scale)
        for dtype in DTYPE_NAMES:
            yield Case(row["name"], FAMILY, dtype, None, {**fields, "dtype": dtype})


class Tensors:
    """One set of tensors of a case: `q` [batch, heads, seq, dim] dense in that order, and so on."""

    def __init__(self, case: Case, seed: int) -> None:
        fields = case.fields
        self.causal = fields["causal"] == "true"
        self.window = int(fields.get("window_left", -1))
        self.softcap = float(fields.get("softcap", 0))
        batch, dim = int(fields["batch"]), int(fields["head_dim"])
        self.scale = float(fields.get("softmax_scale", 0)) or 1 / math.sqrt(dim)
        self.heads_q, self.heads_kv = int(fields["heads_q"]), int(fields["heads_kv"])
        self.seq_q, self.seq_kv = int(fields["seq_q"]), int(fields["seq_kv"])
        generator = torch.Generator().manual_seed(seed)
        dtype = DTYPES[case.dtype]

        def make(heads: int, seq: int) -> torch.Tensor:
            return torch.randn(batch, heads, seq, dim, generator=generator).to(dtype)

        self.q = make(self.heads_q, self.seq_q)
        self.k, self.v = make(self.heads_kv, self.seq_kv), make(self.heads_kv, self.seq_kv)
        self.o = torch.full_like(self.q, math.nan)

    def for_kiln(self, _arguments: Sequence[Argument]) -> dict[str, torch.Tensor]:
        """As the family documents them: [batch, seq, heads, dim]."""
        tensors = {"q": self.q, "k": self.k, "v": self.v, "o": self.o}
        return {name: tensor.transpose(1, 2) for name, tensor in tensors.items()}

    def output(self) -> torch.Tensor:
        return self.o

    def mask(self) -> torch.Tensor | None:
        """Visible pairs, None where is_causal or nothing says the same."""
        square_causal = self.causal and self.seq_q == self.seq_kv
        sees_all = not self.causal or self.seq_q == 1
        if self.window < 0 and (square_causal or sees_all):
            return None
        offset = self.seq_kv - self.seq_q
        i = torch.arange(self.seq_q)[:, None] + offset
        j = torch.arange(self.seq_kv)[None, :]
        visible = torch.ones(self.seq_q, self.seq_kv, dtype=torch.bool)
        if self.causal:
            visible &= j <= i
        if self.window >= 0:
            visible &= j >= i - self.window
        return visible

    def attention(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> Run:
        mask = self.mask()
        is_causal = mask is None and self.causal and self.seq_q > 1
        if self.softcap:
            return lambda: self._composed(q, k, v, mask, is_causal)
        gqa = q.shape[1] != k.shape[1]
        return lambda: functional.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=is_causal, scale=self.scale, enable_gqa=gqa
        )

    def _composed(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        mask: torch.Tensor | None,
        is_causal: bool,
    ) -> torch.Tensor:
        """With a softcap, which scaled_dot_product_attention does not offer."""
        group = q.shape[1] // k.shape[1]
        if group > 1:
            k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        scores = self.softcap * torch.tanh(q @ k.transpose(-1, -2) * (self.scale / self.softcap))
        if is_causal:
            mask = torch.ones(self.seq_q, self.seq_kv, dtype=torch.bool).tril()
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        return torch.softmax(scores, -1) @ v

    def reference(self) -> torch.Tensor:
        run = self.attention(self.q.float(), self.k.float(), self.v.float())
        return run().nan_to_num(0.0)

    def peers(self) -> dict[str, Run]:
        """PyTorch's settings by name."""
        q, k, v = self.q, self.k, self.v
        runs = {"torch": self.attention(q, k, v)}
        tokens_first = [t.transpose(1, 2).contiguous().transpose(1, 2) for t in (q, k, v)]
        runs["torch tokens-first"] = self.attention(*tokens_first)
        group = self.heads_q // self.heads_kv
        if group > 1:
            runs["torch expanded"] = self.attention(
                q, k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
            )
        return runs


DISCIPLINE = Discipline(make=Tensors, tolerance=TOLERANCE, group=lambda case: case.dtype)

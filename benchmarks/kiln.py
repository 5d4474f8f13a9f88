"""Kiln in this process: the C functions of benchmarks/bridge/bridge.h."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.shapes import ROOT

BUILD = ROOT / "build"
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


class KilnError(Exception):
    """What kiln_bench_error() says."""


@dataclass(frozen=True)
class Argument:
    name: str
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    output: bool
    optional: bool


@dataclass(frozen=True)
class Problem:
    text: str
    flops: float
    bytes: float
    bandwidth_bound: bool
    convention: str


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(BUILD / "lib" / "libkiln_bench.so"))
    text, handle = ctypes.c_char_p, ctypes.c_void_p
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "kiln_bench_error": (text, []),
        "kiln_bench_open": (handle, [text, text]),
        "kiln_bench_close": (None, [handle]),
        "kiln_bench_device": (text, [handle]),
        "kiln_bench_problem": (text, [handle, text, text]),
        "kiln_bench_tune": (text, [handle, text, text, ctypes.c_double, ctypes.c_int]),
        "kiln_bench_kernel": (handle, [handle, text, text, ctypes.c_int]),
        "kiln_bench_release": (None, [handle]),
        "kiln_bench_describe": (text, [handle]),
        "kiln_bench_launch": (ctypes.c_int, [handle, handle, handle]),
        "kiln_bench_probe": (ctypes.c_double, [handle, text, ctypes.c_double]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


class Kernel:
    """A kernel bound to a problem's sizes."""

    def __init__(self, library: ctypes.CDLL, handle: int) -> None:
        self._library = library
        self._handle = handle
        description = json.loads(library.kiln_bench_describe(handle))
        self.config: str = description["config"]
        self.arguments = [
            Argument(
                a["name"],
                a["dtype"],
                tuple(a["shape"]),
                tuple(a["strides"]),
                a["output"],
                a["optional"],
            )
            for a in description["arguments"]
        ]

    def bind(self, tensors: dict[str, torch.Tensor]) -> Launch:
        """Tensors by argument name, axes in the order the family documents; optional arguments may
        be missing."""
        return Launch(self._library, self._handle, self.arguments, tensors)

    def close(self) -> None:
        self._library.kiln_bench_release(self._handle)


class Launch:
    """A kernel with its tensors: a call runs it."""

    def __init__(
        self,
        library: ctypes.CDLL,
        handle: int,
        arguments: Sequence[Argument],
        tensors: dict[str, torch.Tensor],
    ) -> None:
        self._library = library
        self._launch = library.kiln_bench_launch
        self._handle = ctypes.c_void_p(handle)
        self._tensors = tensors  # keeps the memory
        unknown = set(tensors) - {argument.name for argument in arguments}
        if unknown:
            raise KilnError(f"no argument named {', '.join(sorted(unknown))}")
        addresses: list[int | None] = []
        strides = []
        for argument in arguments:
            tensor = tensors.get(argument.name)
            if tensor is None:
                if not argument.optional:
                    raise KilnError(f"argument {argument.name} is missing")
                addresses.append(None)
                strides.append((ctypes.c_int64 * len(argument.shape))(*argument.strides))
                continue
            if tuple(tensor.shape) != argument.shape or tensor.dtype != DTYPES[argument.dtype]:
                raise KilnError(
                    f"{argument.name}: {tuple(tensor.shape)} {tensor.dtype}, expected "
                    f"{argument.shape} {argument.dtype}"
                )
            addresses.append(tensor.data_ptr())
            strides.append((ctypes.c_int64 * tensor.dim())(*tensor.stride()))
        self._strides = strides
        self._data = (ctypes.c_void_p * len(addresses))(*addresses)
        self._rows = (ctypes.c_void_p * len(strides))(*(ctypes.addressof(row) for row in strides))

    def __call__(self) -> None:
        if self._launch(self._handle, self._data, self._rows):
            raise KilnError(self._library.kiln_bench_error().decode())


class Kiln:
    """An embedded engine with its state in `state`."""

    def __init__(self, state: Path) -> None:
        self._library = _library()
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        worker = BUILD / "bin" / "kiln-worker"
        self._handle = self._library.kiln_bench_open(str(state).encode(), str(worker).encode())
        if not self._handle:
            raise self._error()
        self.device: dict[str, Any] = json.loads(self._library.kiln_bench_device(self._handle))

    def _error(self) -> KilnError:
        return KilnError(self._library.kiln_bench_error().decode())

    def problem(self, family: str, fields: str) -> Problem:
        text = self._library.kiln_bench_problem(self._handle, family.encode(), fields.encode())
        if text is None:
            raise self._error()
        return Problem(**json.loads(text))

    def tune(self, family: str, fields: str, seconds: float, force: bool = False) -> dict[str, Any]:
        text = self._library.kiln_bench_tune(
            self._handle, family.encode(), fields.encode(), seconds, force
        )
        if text is None:
            raise self._error()
        result: dict[str, Any] = json.loads(text)
        return result

    def kernel(self, family: str, fields: str, default: bool = False) -> Kernel:
        handle = self._library.kiln_bench_kernel(
            self._handle, family.encode(), fields.encode(), default
        )
        if not handle:
            raise self._error()
        return Kernel(self._library, handle)

    def probe(self, kind: str, milliseconds: float = 8.0) -> float:
        rate: float = self._library.kiln_bench_probe(self._handle, kind.encode(), milliseconds)
        if rate < 0:
            raise self._error()
        return rate

    def close(self) -> None:
        self._library.kiln_bench_close(self._handle)

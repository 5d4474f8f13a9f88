"""One line of a benchmark's table."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """A problem of a family. `fields` as the family's schema names them."""

    name: str
    family: str
    dtype: str
    layout: str | None
    fields: dict[str, str]

    @property
    def title(self) -> str:
        return " ".join(part for part in (self.name, self.dtype, self.layout) if part)

    @property
    def problem(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.fields.items())


@dataclass
class Result:
    """What was measured for a case; `kiln` and `peers` in `unit`, more is better unless `unit` is
    a time. A ratio above 1 means that Kiln is better."""

    case: str
    kiln: float
    peers: dict[str, float]
    unit: str
    ratio: float
    ratio_low: float
    ratio_high: float
    group: str = ""
    peak_fraction: float | None = None
    config: str = ""
    extra: dict[str, float] = field(default_factory=dict)  # further columns

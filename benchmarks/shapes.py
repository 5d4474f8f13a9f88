"""Workload files: CSV with a header line, one problem a row."""

from __future__ import annotations

import csv
from pathlib import Path

Row = dict[str, str]

COMPLETE = ("compile", "gemm")  # files in the checkout that are the full list

ROOT = Path(__file__).resolve().parent.parent


class ShapesError(Exception):
    """A workload file that is missing or malformed; the message names file and line."""


def read(path: Path, required: tuple[str, ...]) -> list[Row]:
    """The file's rows; every one has the `required` columns."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [name for name in required if name not in (reader.fieldnames or [])]
            if missing:
                raise ShapesError(f"{path}: expected columns {', '.join(missing)}")
            rows = []
            for row in reader:
                if None in row or None in row.values():
                    raise ShapesError(f"{path}:{reader.line_num}: wrong number of fields")
                rows.append(row)
            return rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ShapesError(f"{path}: {error}") from error


def default_file(name: str, everything: bool) -> Path:
    """The stated subset, or with `everything` the full list, which lies beside the checkout."""
    subset = ROOT / "benchmarks" / "shapes" / f"{name}.csv"
    full = ROOT.parent / "shared" / "shapes" / f"{name}.csv"
    if not everything or name in COMPLETE:
        return subset
    if not full.exists():
        raise ShapesError(f"{full} is missing: name a file with --shapes")
    return full


def integer(row: Row, column: str) -> int:
    try:
        return int(row[column])
    except ValueError as error:
        raise ShapesError(f"{column} = {row[column]!r}: expected an integer") from error

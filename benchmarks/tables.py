"""Measurements as GitHub markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def number(value: float, digits: int = 2) -> str:
    """A number for a table; `n/a` where there is none.

    >>> number(0.91666), number(1234567.0, 0), number(float("nan"))
    ('0.92', '1,234,567', 'n/a')
    """
    return "n/a" if value != value else f"{value:,.{digits}f}"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A markdown table; columns after the first are aligned to the right when every cell begins like a number.

    >>> print(table(["detector", "found"], [["dark", 7]]))
    | detector | found |
    |---|---:|
    | dark | 7 |
    """
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    for row in cells:
        if len(row) != len(header):
            raise ValueError(f"a row has {len(row)} cells and the header {len(header)}: {row}")
    rule = "|".join("---:" if k and _numeric(row[k] for row in cells) else "---" for k in range(len(header)))
    return "\n".join(["| " + " | ".join(header) + " |", f"|{rule}|", *("| " + " | ".join(row) + " |" for row in cells)])


def _numeric(column: Iterable[str]) -> bool:
    return all(cell[:1].isdigit() or cell[:1] in "-<" or cell == "n/a" for cell in column)

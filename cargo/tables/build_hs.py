"""Builds `hs_texts.csv.gz` and `hs_steps.csv.gz`: `python -m cargo.tables.build_hs FOLDER`.

`FOLDER` holds what `SOURCES.md` names: descriptions of 2007 to 2022 and the correlation tables. The files called
`hsA_hsB.csv` and the sheets called "Conversion" give one best code for each and are not used: a list mapped by them
would lose the codes that a split made. The n:m tables are the sheets called "Correlation" and the Harvard file (which
equals them where both exist, as checked here).
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

VERSIONS = (2007, 2012, 2017, 2022)
HARVARD = "HS_consolidated_concordances_harvard.csv.gz"
SHEETS = {
    (2017, 2012): ("HS2017toHS2012ConversionAndCorrelationTables.xlsx", "Correlation HS17-HS12"),
    (2022, 2017): ("HS2022toHS2017ConversionAndCorrelationTables.xlsx", "HS2022-HS2017 Correlations"),
}
Pairs = set[tuple[str, str]]


def read_texts(folder: Path) -> dict[tuple[str, str], str]:
    """Code and text to the versions that say so, one digit a version ("0123" is all)."""
    found: dict[tuple[str, str], str] = {}
    for n, version in enumerate(VERSIONS):
        with (folder / f"hs{version}_desc.csv").open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                key = (row["code"], " ".join(row["desc"].split()))
                found[key] = found.get(key, "") + str(n)
    return found


def harvard_pairs(folder: Path, after: int, before: int) -> Pairs:
    """(code after, code before) of one step; the file has lost the leading zeros."""
    with gzip.open(folder / HARVARD, "rt", encoding="utf-8") as lines:
        return {
            (row["code.after"].zfill(6), row["code.before"].zfill(6))
            for row in csv.DictReader(lines)
            if row["adjustment"] == f"{after} to {before}"
        }


def read_pairs(folder: Path, after: int, before: int) -> Pairs:
    """(code after, code before) of one step, all of them."""
    pairs = harvard_pairs(folder, after, before)
    if (after, before) in SHEETS:
        import python_calamine

        name, sheet = SHEETS[after, before]
        rows = python_calamine.CalamineWorkbook.from_path(folder / name).get_sheet_by_name(sheet).to_python()
        codes = [[cell for cell in row if isinstance(cell, str) and cell.isdigit()] for row in rows[2:]]
        theirs = {(after_code, before_code) for after_code, before_code in codes}
        if theirs != pairs:
            raise SystemExit(f"{name} and {HARVARD} differ on {len(theirs ^ pairs)} pairs")
    return pairs


def changed(pairs: Pairs) -> Pairs:
    """The pairs but for the codes that stayed what they were, alone on both sides: those go without saying."""
    after, before = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    return {(a, b) for a, b in pairs if a != b or after[a] > 1 or before[b] > 1}


def write(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """A packed CSV, the same bytes for the same rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def main() -> None:
    """Write both tables beside this script."""
    if len(sys.argv) != 2:
        raise SystemExit("python -m cargo.tables.build_hs FOLDER")
    folder, here = Path(sys.argv[1]), Path(__file__).parent
    texts = read_texts(folder)
    write(here / "hs_texts.csv.gz", ("code", "versions", "text"), sorted((c, v, t) for (c, t), v in texts.items()))
    steps = []
    for before, after in itertools.pairwise(VERSIONS):
        pairs = read_pairs(folder, after, before)
        of = {v: {c for (c, _), n in texts.items() if len(c) == 6 and str(VERSIONS.index(v)) in n} for v in VERSIONS}
        for n, what in enumerate((after, before)):
            said = {pair[n] for pair in pairs}
            if said - of[what]:
                raise SystemExit(f"{after} to {before}: {sorted(said - of[what])} are no codes of {what}")
            if mute := sorted(of[what] - said - {"999999"}):
                print(f"{after} to {before}: no correlation for {', '.join(mute)} of {what}")
        kept = changed(pairs)
        quiet = {c for c in of[after] & of[before] if not any(c in pair for pair in kept)}
        if kept | {(c, c) for c in quiet} != pairs | {("999999", "999999")}:
            raise SystemExit(f"{after} to {before}: the table cannot be made again from what is kept")
        steps += [(str(after), a, b) for a, b in sorted(kept)]
    write(here / "hs_steps.csv.gz", ("version", "code", "code_before"), steps)
    for name in ("hs_texts.csv.gz", "hs_steps.csv.gz"):
        print(f"{name}: {(here / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

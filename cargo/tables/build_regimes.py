"""Builds `regimes.csv`, the control lists: `python -m cargo.tables.build_regimes regime_items.csv`.

`regime_items.csv` holds the items of the lists with the basis of each; `regimes_review.csv`, beside this script, holds
what was reviewed by hand: which of an item's codes it covers whole, what its text adds, and the limits as numbers. What
was not reviewed is written with care: codes that we mapped cover only a part (`is_ex`), codes of the law the whole.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path

from cargo import hs
from cargo.control_rule import COLUMNS
from geo.errors import UsageError

NO_REGIMES = ("Model list", "Overview (not a regime)")
"""Rows about texts that are no law."""
SECTOR = re.compile(r"UNSCR (2371|2375|2397)|s\.8\(|specified export sanctioned")
"""Bans on whole branches of trade, which are no lists of luxury goods."""
FROM_DPRK = re.compile(r"UNSCR 2371|UNSCR 2375|UNSCR 2397 \(2017\) OP6")
ENDED = {"EU (2007)": "2017-11", "New Zealand": "2018-06"}
"""Replaced by Regulation 2017/2062 (in the Official Journal of 14 November 2017); by 2018/86."""
TERRITORY = {
    "UN": "any",
    "EU (2007)": "EU",
    "EU (2017)": "EU",
    "EU Syria (related)": "EU",
    "EU Russia (related)": "EU",
    "US": "US",
    "US Russia (related)": "US",
    "Canada": "CA",
    "Republic of Korea": "KR",
    "Japan": "JP",
    "Singapore": "SG",
    "Australia": "AU",
    "Australia Russia (related)": "AU",
    "UK": "GB",
    "UK Russia (related)": "GB",
    "Switzerland": "CH;LI",
    "New Zealand": "NZ",
    "Norway": "NO",
    "Russia": "RU",
    "China": "CN",
    "Taiwan": "TW",
    "Hong Kong": "HK",
}
Row = dict[str, str]


def patterns_of(text: str) -> list[str]:
    """The codes and ranges of a cell ("1604 31;2204 21-2204 29"); words such as "see source" give none.

    A heading that the law writes with eight digits ("2106 00 00", which is no code) is cut to its four.
    """
    parts = [re.sub(r"\s", "", part) for part in text.split(";")]
    codes = [part for part in parts if re.fullmatch(r"\d{2,10}(-\d{2,10})?", part)]
    return [code[:4] if re.fullmatch(r"\d{4}0000", code) and not hs.versions_of(code) else code for code in codes]


def version_of(patterns: list[str], valid_from: str) -> int:
    """The version whose codes these are: the one in force when the rule began, else the nearest that has them all."""
    year = int(valid_from[:4] or 2017)
    begin = max((version for version in hs.VERSIONS if version <= year), default=hs.VERSIONS[0])
    for version in sorted(hs.VERSIONS, key=lambda version: (abs(version - begin), version)):
        try:
            if all(hs.expand(pattern, version) for pattern in patterns):
                return version
        except UsageError as error:
            raise SystemExit(f"{patterns}: {error}") from None
    raise SystemExit(f"no version of the nomenclature has all of {patterns}")


def left_over(codes: list[str], taken: list[str], valid_from: str) -> list[str]:
    """What of the codes is not taken: patterns as they stand, or the headings and subheadings that are left of one."""
    version = version_of([*codes, *taken], valid_from)
    gone = {code for pattern in taken for code in hs.expand(pattern, version)}
    left = []
    for pattern in codes:
        inside = set(hs.expand(pattern, version))
        if not inside & gone:
            left.append(pattern)
            continue
        for heading in sorted({code[:4] for code in inside - gone}):
            under = set(hs.expand(heading, version))
            left += [heading] if under <= inside - gone else sorted(under & (inside - gone))
    return left


def rules_of(item: Row, reviewed: list[Row]) -> list[Row]:
    """The rules that an item makes: one for each reviewed part of its codes, one for the codes that are left."""
    law, ours = patterns_of(item["hs_legal"]), patterns_of(item["hs_mapped_by_us"])
    codes = law or ours
    parts = [(patterns_of(row["hs"]), row) for row in reviewed]
    if left := left_over(codes, [pattern for patterns, _ in parts for pattern in patterns], item["date"]):
        whole = bool(law) and item["regime"] != "EU (2017)"  # of which the data hold headings for codes of 8 digits
        parts.append((left, {"is_ex": str(int(not whole))}))
    if not codes or "..." in item["hs_legal"]:
        parts.append(([], {"is_ex": "1"}))
    made = []
    for patterns, row in parts:
        begin = item["date"].rstrip("-")
        rule = {
            "regime": item["regime"],
            "item": item["instrument_item"],
            "text": item["item_text"],
            "target": "SY" if "Syria" in item["regime"] else "RU" if "Russia (" in item["regime"] else "KP",
            "subject": "sector" if SECTOR.search(item["instrument_item"]) else "luxury",
            "direction": "import" if FROM_DPRK.search(item["instrument_item"]) else "export",
            "valid_from": begin,
            "valid_to": ENDED.get(item["regime"], ""),
            "hs_version": str(version_of(patterns, begin)) if patterns else "",
            "hs": ";".join(patterns),
            "codes_from": "" if not patterns else "law" if law else "ours",
            "territory": TERRITORY[item["regime"]],
            "basis": item["basis"],
            "source": item["source"],
        }
        if item["regime"] == "EU (2017)":
            rule["direction"] = "export;import"
        rule["jurisdiction"] = "any" if rule["territory"] == "any" else "exporter;flag;person"
        if rule["territory"] == "US":
            rule["jurisdiction"] += ";item"
        keys = ("is_ex", "qualifier", "threshold_amount", "threshold_currency", "threshold_per")
        made.append(rule | {key: row.get(key, "") for key in keys})
    return made


def main() -> None:
    """Write the table beside this script."""
    if len(sys.argv) != 2:
        raise SystemExit("python -m cargo.tables.build_regimes regime_items.csv")
    here = Path(__file__).parent
    reviewed: dict[tuple[str, str], list[Row]] = defaultdict(list)
    with (here / "regimes_review.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            reviewed[row["regime"], row["item"]].append(row)
    with Path(sys.argv[1]).open(encoding="utf-8-sig", newline="") as lines:
        items = [row for row in csv.DictReader(lines) if row["regime"] not in NO_REGIMES]
    rules = []
    used = set()
    for item in items:
        key = (item["regime"], item["instrument_item"])
        parts = reviewed.get(key, [])
        # several rows of the source bear one name (the goods of one paragraph): each takes the parts whose codes it has
        codes = set(patterns_of(item["hs_legal"]) + patterns_of(item["hs_mapped_by_us"]))
        mine = []
        for row in parts:
            inside = [p for p in patterns_of(row["hs"]) if p in codes or any(hit(p, code) for code in codes)]
            if inside:
                mine.append(row | {"hs": ";".join(inside)})
                used.add((key, row["hs"]))
        rules += rules_of(item, mine)
    if idle := [(key, row["hs"]) for key, rows in reviewed.items() for row in rows if (key, row["hs"]) not in used]:
        raise SystemExit(f"reviewed, but not in the source: {idle}")
    with (here / "regimes.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rules)
    print(f"regimes.csv: {len(rules)} rules of {len(items)} items, {(here / 'regimes.csv').stat().st_size:,} bytes")


def hit(pattern: str, code: str) -> bool:
    """Whether a reviewed pattern lies under a code or range of the source."""
    low, _, high = code.partition("-")
    first, _, last = pattern.partition("-")
    return low <= first[: len(low)] and (last or first)[: len(low)] <= (high or low)


if __name__ == "__main__":
    main()

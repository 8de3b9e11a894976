"""Static reports to identities: what a ship said of itself, as intervals.

A row of the result holds from `t_from` to `t_to`: the first and the last report with these values. Reports come in
parts (type 24 A has the name, B the call sign and dimensions); a part that says nothing of a field leaves it as it
was. `n` counts the reports, copies within 10 s once; it is 0 where the source tells of a ship only what has changed
(tables that repeat the static fields in each row are read so), for then nobody knows how often it was said.

One loop finds runs in time order: reports of one ship and one type that say the same; the other joins them by ship.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT, STATIC_DTYPES, Static, Table
from ais.tracks import COPY_WINDOW_US
from geo.instructions import prefetch
from geo.kernel import inner, kernel

FIELDS = (
    "imo", "callsign", "name", "ship_type", "to_bow", "to_stern", "to_port", "to_starboard", "draught", "destination",
    "eta",
)  # fmt: skip
_TEXTS = tuple(name for name in FIELDS if STATIC_DTYPES[name].startswith("S"))
_EVIDENCE = (("source", "u2"), ("first_offset", "i8"), ("last_source", "u2"), ("last_offset", "i8"))
_RUN = (
    ("first", "i8"), ("last", "i8"), ("counted", "i8"), ("until", "i8"), ("part", "i8"), ("row", "i8"), ("mmsi", "u4"),
    ("n", "i4"),
)  # fmt: skip
"""Reports that say the same: rows of the first and the last, time of the last that was counted, until when all are
counted (`CONDENSED`), whose, row of their interval, number; then what they say: 130 bytes in a row to be compared."""
FREE = -1
_AHEAD = 8
"""Reports from one whose run is compared to the one whose run is fetched: a run of one in 20,000 ships is far away."""
CONDENSED = {"weight": "i4", "counted": "i8", "until": "i8"}
"""What `condensed` says of a row that stands for several reports: of the first of a run, until when it is counted (else
`NAT`); of the last, how many were counted after the first (else -1), and when the last of them."""


class Identities(Table):
    """Static reports as intervals, by MMSI and time; `n` is the number of reports, 0 where it is not known."""

    times: ClassVar[tuple[str, ...]] = ("t_from", "t_to")
    nulls = Static.nulls


class Reports(NamedTuple):
    """The columns of static reports as kernels take them: texts as rows of words."""

    t: NDArray[np.int64]
    mmsi: NDArray[np.uint32]
    part: NDArray[np.int64]
    imo: NDArray[np.uint32]
    callsign: NDArray[Any]
    name: NDArray[Any]
    ship_type: NDArray[np.uint8]
    to_bow: NDArray[np.uint16]
    to_stern: NDArray[np.uint16]
    to_port: NDArray[np.uint8]
    to_starboard: NDArray[np.uint8]
    draught: NDArray[np.float32]
    destination: NDArray[Any]
    eta: NDArray[np.uint32]
    source: NDArray[np.uint16]
    offset: NDArray[np.int64]
    weight: NDArray[np.int32]
    counted: NDArray[np.int64]
    until: NDArray[np.int64]


@inner
def same_text(texts, i, kept):
    """Is the text of a report the one that is kept?"""
    for k in range(texts.shape[1]):  # noqa: SIM110 - kernels have no generators
        if texts[i, k] != kept[k]:
            return False
    return True


@inner
def says_same(r, i, run):
    """Does a report say what the run says?"""
    return (
        r.imo[i] == run.imo
        and r.eta[i] == run.eta
        and r.ship_type[i] == run.ship_type
        and r.to_bow[i] == run.to_bow
        and r.to_stern[i] == run.to_stern
        and r.to_port[i] == run.to_port
        and r.to_starboard[i] == run.to_starboard
        and (r.draught[i] == run.draught or (r.draught[i] != r.draught[i] and run.draught != run.draught))
        and same_text(r.name, i, run.name)
        and same_text(r.callsign, i, run.callsign)
        and same_text(r.destination, i, run.destination)
    )


@inner
def copy_text(texts, i, kept):
    """The text of a report into what is kept."""
    for k in range(texts.shape[1]):
        kept[k] = texts[i, k]


@inner
def open_run(r, i, run):
    """A run that begins with a report."""
    run.first, run.last, run.mmsi, run.part, run.until = i, i, r.mmsi[i], r.part[i], r.until[i]
    run.n, run.counted = (r.weight[i], r.counted[i]) if r.weight[i] >= 0 else (1, r.t[i])
    run.imo, run.eta, run.ship_type, run.draught = r.imo[i], r.eta[i], r.ship_type[i], r.draught[i]
    run.to_bow, run.to_stern = r.to_bow[i], r.to_stern[i]
    run.to_port, run.to_starboard = r.to_port[i], r.to_starboard[i]
    copy_text(r.name, i, run.name[:])
    copy_text(r.callsign, i, run.callsign[:])
    copy_text(r.destination, i, run.destination[:])


@inner
def first_place(table, mmsi, part):
    """The place in the table where a ship's part stands unless another is there."""
    return ((np.int64(mmsi) << 9 | part) * 0x9E3779B1 >> 12) & (table.size - 1)


@inner
def place_of(table, runs, mmsi, part):
    """The place in the table of a ship's part: where its latest run stands, or the empty place where it would."""
    mask = table.size - 1
    at = first_place(table, mmsi, part)
    while table[at] != FREE and (runs[table[at]].mmsi != mmsi or runs[table[at]].part != part):
        at = (at + 1) & mask
    return at


@inner
def fetch(r, order, k, runs, table):
    """Bring near what the k-th report and the one `_AHEAD` behind it will be compared with."""
    if k + _AHEAD < order.size:
        i = order[k + _AHEAD]
        prefetch(table, first_place(table, r.mmsi[i], r.part[i]))
    if k < order.size:
        latest = table[first_place(table, r.mmsi[order[k]], r.part[order[k]])]
        if latest != FREE:
            prefetch(runs, latest)
            prefetch(runs, latest + 1)


@kernel
def find_runs(r, order, begin, runs, n_runs, table, n_keys, repeats):
    """Reports in time order into runs, until the table is half full: (where it stopped, runs, keys in the table)."""
    for k in range(begin, order.size):
        if 2 * n_keys >= table.size:
            return k, n_runs, n_keys
        fetch(r, order, k + _AHEAD, runs, table)
        i = order[k]
        at = place_of(table, runs, r.mmsi[i], r.part[i])
        n_keys += table[at] == FREE
        if table[at] != FREE and says_same(r, i, runs[table[at]]):
            run = runs[table[at]]
            if r.weight[i] >= 0:
                run.n += r.weight[i]
                run.counted = r.counted[i]
            elif r.t[i] <= run.until:
                continue
            elif r.t[i] - run.counted >= COPY_WINDOW_US:
                if r.source[run.last] == r.source[i]:
                    repeats[r.source[i]] = 1
                run.counted = r.t[i]
                run.n += 1
            run.last, run.until = i, max(run.until, r.until[i])
            continue
        open_run(r, i, runs[n_runs])
        table[at] = n_runs
        n_runs += 1
    return order.size, n_runs, n_keys


@kernel
def rehash(runs, old, table):
    """The entries of a table into a bigger one."""
    for k in range(old.size):
        if old[k] != FREE:
            table[place_of(table, runs, runs[old[k]].mmsi, runs[old[k]].part)] = old[k]


@inner
def other_text(said, kept):
    """Is a text said, and another than is kept?"""
    if said[0] == 0:
        return False
    for k in range(said.size):  # noqa: SIM110
        if said[k] != kept[k]:
            return True
    return False


@inner
def other(said, kept):
    """Is a number said (0 and NaN are not), and another than is kept?"""
    return said == said and said != 0 and said != kept


@inner
def contradicts(run, row):
    """Does a run say anything that the interval does not say?"""
    return (
        other(run.imo, row.imo)
        or other(run.ship_type, row.ship_type)
        or other(run.to_bow, row.to_bow)
        or other(run.to_stern, row.to_stern)
        or other(run.to_port, row.to_port)
        or other(run.to_starboard, row.to_starboard)
        or other(run.eta, row.eta)
        or other(run.draught, row.draught)
        or other_text(run.name, row.name)
        or other_text(run.callsign, row.callsign)
        or other_text(run.destination, row.destination)
    )


@inner
def said_or(said, kept):
    """A number that is said, else what is kept."""
    return said if said == said and said != 0 else kept


@inner
def take_text(said, kept):
    """A text that is said takes the place of what is kept."""
    if said[0] != 0:
        for k in range(said.size):
            kept[k] = said[k]


@inner
def take(run, row):
    """All that a run says, into the interval."""
    row.imo, row.ship_type = said_or(run.imo, row.imo), said_or(run.ship_type, row.ship_type)
    row.to_bow, row.to_stern = said_or(run.to_bow, row.to_bow), said_or(run.to_stern, row.to_stern)
    row.to_port, row.to_starboard = said_or(run.to_port, row.to_port), said_or(run.to_starboard, row.to_starboard)
    row.eta, row.draught = said_or(run.eta, row.eta), said_or(run.draught, row.draught)
    take_text(run.name, row.name[:])
    take_text(run.callsign, row.callsign[:])
    take_text(run.destination, row.destination[:])


@kernel
def join_runs(r, runs, order, repeats, rows):
    """Runs by ship and time into intervals; how many."""
    n = 0
    for k in range(order.size):
        run = runs[order[k]]
        i, j = run.first, run.last
        reports = run.n if repeats[r.source[i]] else 0
        same_ship, run.row = n > 0 and rows[n - 1].mmsi == run.mmsi, n
        if same_ship and not contradicts(run, rows[n - 1]):
            row, run.row = rows[n - 1], n - 1
            row.n += reports
            if r.t[j] > row.t_to:
                row.t_to, row.last_offset, row.last_source = r.t[j], r.offset[j], r.source[j]
            continue
        if same_ship:
            rows[n] = rows[n - 1]
        else:
            rows[n].draught = np.nan
        row = rows[n]
        take(run, row)
        row.mmsi, row.n, row.t_from, row.t_to = run.mmsi, reports, r.t[i], r.t[j]
        row.source, row.first_offset = r.source[i], r.offset[i]
        row.last_source, row.last_offset = r.source[j], r.offset[j]
        n += 1
    return n


def _words(texts: NDArray[Any]) -> NDArray[Any]:
    """A column of texts as rows of words: of four bytes where they fit, which are compared four times as fast."""
    texts = np.ascontiguousarray(texts)
    word = np.dtype("u4" if texts.dtype.itemsize % 4 == 0 else "u1")
    return texts.view(word).reshape(texts.size, texts.dtype.itemsize // word.itemsize)


def as_taken(static: Static) -> Reports:
    """The columns as kernels take them."""
    part = static["msg_type"].astype(np.int64) * 2 + (static["name"] != b"")
    columns = {
        name: _words(static[name]) if name in _TEXTS else np.ascontiguousarray(static[name], STATIC_DTYPES[name])
        for name in Reports._fields
        if name != "part" and name not in CONDENSED
    }
    return Reports(part=part, **columns, **(plain(len(static)) | {n: static[n] for n in CONDENSED if n in static}))


def plain(n: int) -> dict[str, NDArray[Any]]:
    """The columns of `CONDENSED` of rows that stand for themselves."""
    return {"weight": np.full(n, -1, "i4"), "counted": np.full(n, NAT), "until": np.full(n, NAT)}


def time_order(r: Reports) -> NDArray[np.int64]:
    """Rows by time, and by source and offset where that is the same: the order of arrival tells nothing."""
    after, before = slice(1, None), slice(None, -1)
    step, same_source = np.diff(r.t), r.source[after] == r.source[before]
    later = (r.source[after] > r.source[before]) | (same_source & (r.offset[after] >= r.offset[before]))
    if bool(np.all((step > 0) | ((step == 0) & later))):
        return np.arange(r.t.size)
    return np.lexsort((r.offset, r.source, r.t))


def fields_of(r: Reports) -> list[tuple[Any, ...]]:
    """The fields as parts of a record, texts as words."""
    columns = r._asdict()
    texts = {name: (name, columns[name].dtype, columns[name].shape[1]) for name in _TEXTS}
    return [texts.get(name, (name, STATIC_DTYPES[name])) for name in FIELDS]


def _runs(r: Reports, repeats: NDArray[np.uint8]) -> NDArray[Any]:
    """The runs; notes of each source whether it repeats what has not changed."""
    order, runs = time_order(r), np.empty(r.t.size, np.dtype([*_RUN, *fields_of(r)], align=True)).view(np.recarray)
    table = np.full(1 << 12, FREE)
    at = n_runs = n_keys = 0
    while True:
        at, n_runs, n_keys = find_runs(r, order, at, runs, n_runs, table, n_keys, repeats)
        if at == order.size:
            return runs[:n_runs]
        old, table = table, np.full(4 * table.size, FREE)
        rehash(runs, old, table)


def no_repeats() -> NDArray[np.uint8]:
    """For each code of a source: it is not known to repeat what has not changed."""
    return np.zeros(1 << 16, np.uint8)


def condensed(static: Static, repeats: NDArray[np.uint8], before: int) -> Static:
    """The reports, but of those before a time in µs only the first and the last of each run; `identities` finds the
    same in them.

    What the others tell of their sources is noted in `repeats`. Reports that come later and lie before that time split
    a run where they say otherwise (all but its first then count after them), and are copies where they say the same.

    >>> from ais.table import columns_of
    >>> columns = columns_of(STATIC_DTYPES, 1000)
    >>> columns["t"][:], columns["mmsi"][:], columns["name"][:] = np.arange(1000) * 360_000_000, 671999101, b"LARK"
    >>> repeats = no_repeats()
    >>> few = condensed(Static({**columns, **plain(1000)}), repeats, 900 * 360_000_000)
    >>> len(few), identities(few, repeats)["n"].tolist()
    (102, [1000])
    """
    old = static["t"] < before
    past = static.take(old)
    r = as_taken(past)
    runs = _runs(r, repeats)
    first, last = runs["first"], runs["last"]
    more = first != last
    begin, end = past.take(first), past.take(last[more])
    alone = np.where(begin["weight"] >= 0, begin["weight"], 1)
    begin.columns["until"] = np.where(more, r.t[last], NAT)
    end.columns["weight"] = (runs["n"] - alone)[more].astype("i4")
    end.columns["counted"], end.columns["until"] = runs["counted"][more], np.full(len(end), NAT)
    parts = [begin, end, static.take(~old)]
    return Static({name: np.concatenate([part[name] for part in parts]) for name in static})


def identities(static: Static, repeats: NDArray[np.uint8] | None = None) -> Identities:
    """Intervals of unchanged identity from static reports in any order.

    Parameters
    ----------
    static : columns as in `ais.table.STATIC_DTYPES`, and those of `CONDENSED` where rows stand for several reports
    repeats : of each source, whether it is known already to repeat what has not changed

    Returns
    -------
    Identities, sorted by `mmsi` and `t_from`: `t_from t_to mmsi n`, the fields, and where the first and the last report
    of the interval stand (`source`, `first_offset`, `last_source`, `last_offset`)

    >>> from ais.table import columns_of
    >>> columns = columns_of(STATIC_DTYPES, 3)
    >>> columns["t"][:], columns["mmsi"][:], columns["name"][:] = [0, 360_000_000, 720_000_000], 671999101, b"LARK"
    >>> columns["name"][2] = b"TERN"
    >>> found = identities(Static(columns))
    >>> found["name"].tolist(), found["t_to"].tolist(), found["n"].tolist()
    ([b'LARK', b'TERN'], [360000000, 720000000], [2, 1])
    """
    return unfolded(static, no_repeats() if repeats is None else repeats.copy())[0]


def unfolded(static: Static, repeats: NDArray[np.uint8]) -> tuple[Identities, NDArray[Any], Reports]:
    """As `identities`, with the runs and reports that they are joined from; notes in `repeats` which sources repeat."""
    r = as_taken(static)
    runs = _runs(r, repeats)
    order = np.lexsort((runs["part"], r.t[runs["first"]], runs["mmsi"]))
    head = [("t_from", "i8"), ("t_to", "i8"), ("mmsi", "u4"), ("n", "i4")]
    rows = np.zeros(runs.size, np.dtype([*head, *fields_of(r), *_EVIDENCE], align=True)).view(np.recarray)
    found = rows[: join_runs(r, runs, order, repeats, rows)].view(np.ndarray)
    columns = {name: np.ascontiguousarray(found[name]) for name in found.dtype.names or ()}
    for name in _TEXTS:
        columns[name] = columns[name].reshape(-1).view(static[name].dtype)
    return Identities(columns), runs, r

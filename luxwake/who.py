"""`luxwake who`: what is known of a ship, a firm or a person, each fact with its days and its source."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import InputError, UsageError
from luxwake.console import print_json_lines

if TYPE_CHECKING:
    from cargo.listed import Listed, Subject
    from cargo.network import Network
    from cargo.network import Path as Way
    from cargo.parties import Parties, Party
    from cargo.shipments import Row, Shipments
    from cargo.ships import Ship
    from luxwake.console import Console

MOST_ROWS = 20
"""Rows, and ways to listed parties, that are printed one by one."""
MAX_HOPS = 4.0


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked for, and where to look."""

    text: str
    shipments: str | None = None
    run: str | None = None
    registry: str | None = None
    date: str = ""
    hops: float = 3.0


@dataclass(slots=True)
class Known:
    """What was found: the nodes of the network that are meant, candidates, and what must be said."""

    network: Network
    shipments: Shipments | None
    ships: list[Ship] = field(default_factory=list)
    parties: list[Party] = field(default_factory=list)
    why: str = ""
    notes: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    """Events of the run: id, kind, mmsi, other, t_start, t_end."""


def print_who(asked: Asked, console: Console) -> None:
    """Print all that is known: identities as intervals, rows, lists then and now, ways to listed parties."""
    from cargo.listed import Listed, subject_of
    from cargo.watchlists import read_watchlists
    from luxwake.watchlists import day_asked, print_check

    day = day_asked(asked.date)
    if not 0.0 < asked.hops <= MAX_HOPS:
        raise UsageError(f"--hops must be more than 0 and at most {MAX_HOPS:g}, not {asked.hops:g}")
    subject = subject_of(asked.text)
    if not (subject.name or subject.imo or subject.mmsi):
        raise UsageError("who needs a name, an IMO number or an MMSI; the text is empty")
    listed = Listed(read_watchlists())
    known = _known(asked, subject, listed)
    for note in known.notes:
        console.note(note)
    _print_ships(known, console)
    _print_parties(known, console)
    print_check(listed.check(_told(known, subject), day), console)
    _print_ways(known, asked, day, console)


def _known(asked: Asked, subject: Subject, listed: Listed) -> Known:
    """Everything at hand, as one network."""
    from cargo.mentions import mentions_of
    from cargo.network import Network
    from cargo.parties import resolve_parties
    from cargo.registry import read_registry
    from cargo.shipments import read_shipments
    from cargo.ships import gather, ships_of_identity

    network = Network(listed=listed, candidates=True)
    shipments = read_shipments(asked.shipments) if asked.shipments else None
    known = Known(network, shipments)
    parties: Parties | None = None
    if shipments is not None:
        parties = resolve_parties(mentions_of(shipments))
        network.add_rows(shipments.rows(), parties)
    ships: list[Ship] = []
    if asked.run:
        ships += ships_of_identity(_identity(Path(asked.run)), f"AIS, {Path(asked.run).name}")
    if asked.registry:
        found, warnings = read_registry(asked.registry)
        ships += found
        known.notes += [f"{asked.registry}: {warning}" for warning in warnings[:MOST_ROWS]]
        if len(warnings) > MOST_ROWS:
            known.notes.append(f"{asked.registry}: {len(warnings) - MOST_ROWS:,} more warnings")
    network.add_ships(gather(ships))
    if asked.run:
        known.events = _events(Path(asked.run))
        by_mmsi = {int(mmsi): ship.id for ship in network.ships.values() for mmsi in ship.values("mmsi")}
        network.add_meetings(
            (by_mmsi[e["mmsi"]], by_mmsi[e["other"]], e["t_start"], e["t_end"], e["id"])
            for e in known.events
            if e["kind"] == "rendezvous" and {e["mmsi"], e["other"]} <= by_mmsi.keys()
        )
    if shipments is not None:
        network.add_carriers(shipments.rows())
    _find(known, subject, parties)
    return known


def _identity(folder: Path) -> Any:
    """The identities that a run kept, as a table."""
    import numpy as np

    from ais.table import NAT, Table
    from luxwake.store import query

    path = folder / "identity.parquet"
    if not path.is_file():
        raise InputError(f"{path}: not there; run `luxwake run` again, which writes it, or leave out --run")
    names = ("t_from", "t_to", "mmsi", "imo", "name", "callsign")
    times = ", ".join(f"epoch_us({name}) as {name}" for name in names[:2])
    rows = query(folder, f"select {times}, {', '.join(names[2:])} from identity")
    columns = {name: rows[name].to_pylist() for name in names}
    empty = {"t_from": NAT, "t_to": NAT, "mmsi": 0, "imo": 0, "name": "", "callsign": ""}
    kinds = {"t_from": "i8", "t_to": "i8", "mmsi": "u4", "imo": "u4", "name": "O", "callsign": "O"}
    return Table(
        {
            name: np.array([empty[name] if value is None else value for value in values], kinds[name])
            for name, values in columns.items()
        }
    )


def _events(folder: Path) -> list[dict[str, Any]]:
    """The events that a run found; none where it kept no table of them."""
    from luxwake.store import query

    if not (folder / "events.parquet").is_file():
        return []
    times = "epoch_us(t_start) as t_start, epoch_us(t_end) as t_end"
    rows = query(folder, f"select id, kind, mmsi, other, {times} from events order by t_start, id")
    columns = {name: rows[name].to_pylist() for name in rows.column_names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _find(known: Known, subject: Subject, parties: Parties | None) -> None:
    """Which ships and parties are meant: all that bear the number or exactly the name; else those that are alike."""
    from cargo.party_names import likeness, party_name
    from cargo.ship_match import ShipIndex, ShipQuery

    index = ShipIndex(known.network.ships.values())
    answer = index.find(ShipQuery(name=subject.name, imo=subject.imo, mmsi=subject.mmsi))
    known.notes += answer.notes
    exact = [one for one in answer.candidates if {"IMO number", "IMO number mended", "MMSI", "name"} & set(one.agree)]
    known.ships = [one.ship for one in exact]
    name = party_name(subject.name) if subject.name else None
    if name is not None and parties is not None:
        alike = [(max(likeness(name, party_name(text)) for text in p.names), p) for p in parties.parties]
        known.parties = [party for score, party in alike if score == 1.0]
        near = sorted(((score, party.name) for score, party in alike if 0.85 <= score < 1.0), reverse=True)
        known.notes += [f"a name alike: {text} ({score:.2f})" for score, text in near[:5]]
    near_ships = [one for one in answer.candidates if one not in exact]
    known.notes += [f"a ship's name alike: {one.ship.name} ({one.alike:.2f})" for one in near_ships[:5]]
    if len(known.ships) > 1:
        known.notes.append(f"{len(known.ships)} ships fit; ask by IMO number to see one")


def _told(known: Known, subject: Subject) -> Subject:
    """The subject with what is known of the one ship or party that is meant, so that lists are asked by more."""
    from cargo.listed import Subject as Told

    if len(known.ships) == 1 and not known.parties:
        ship = known.ships[0]
        return Told(
            name=subject.name or ship.name,
            imo=str(ship.imo or "") or subject.imo,
            mmsi=subject.mmsi or next(iter(ship.values("mmsi")), ""),
            callsign=next(iter(ship.values("callsign")), ""),
            kind="vessel",
        )
    if len(known.parties) == 1 and not known.ships:
        party = known.parties[0]
        return Told(
            name=party.name, countries=party.countries, addresses=party.addresses, identifiers=party.identifiers,
            kind="party",
        )  # fmt: skip
    return subject


def _print_ships(known: Known, console: Console) -> None:
    from cargo.network_signals import day

    for ship in known.ships:
        rows = [(f.kind, f.value, day(f.t_from) or None, day(f.t_to) or None, f.source) for f in ship.facts]
        number = f"IMO {ship.imo}" if ship.imo else "no IMO number known"
        if console.json:
            facts = [dict(zip(("kind", "value", "from", "to", "source"), row, strict=True)) for row in rows]
            print_json_lines([{"type": "ship", "id": ship.id, "imo": ship.imo or None, "facts": facts}])
        else:
            console.table(f"{ship.name or ship.id}, {number}", ("what", "value", "from", "to", "source"), rows)
        _print_events(known, ship, console)
        _print_rows(
            known, [edge.other for edge in known.network.edges_of(ship.id) if edge.kind == "carried by"], console
        )


def _print_events(known: Known, ship: Ship, console: Console) -> None:
    """What the ship did in the run, by kind."""
    from cargo.network_signals import day

    mine = {int(mmsi) for mmsi in ship.values("mmsi")}
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for event in known.events:
        if {event["mmsi"], event["other"]} & mine:
            by_kind.setdefault(str(event["kind"]), []).append(event)
    rows = [(kind, len(e), day(e[0]["t_start"]), day(e[-1]["t_start"])) for kind, e in sorted(by_kind.items())]
    if console.json:
        names = ("kind", "events", "first", "last")
        print_json_lines({"type": "events", **dict(zip(names, row, strict=True))} for row in rows)
    elif rows:
        console.table("Events of the run", ("kind", "events", "first", "last"), rows)


def _print_parties(known: Known, console: Console) -> None:
    for party in known.parties:
        if console.json:
            print_json_lines([{"type": "party", **_party_json(party)}])
        else:
            rows = [("written", text) for text in party.names] + [("address", text) for text in party.addresses]
            rows += [("country", text) for text in party.countries]
            rows += [(kind, value) for kind, value in party.identifiers]
            rows += [(f"one with: {m.why}", f"{m.one} = {m.other} ({m.likeness:g})") for m in party.merges]
            console.table(f"{party.name} ({party.id})", ("what", "value"), rows)
        _print_rows(known, [f"shipments row {number}" for number, _ in party.rows], console)


def _party_json(party: Party) -> dict[str, Any]:
    from dataclasses import asdict

    told: dict[str, Any] = json.loads(json.dumps(asdict(party)))
    told["rows"] = [{"row": row, "role": role} for row, role in party.rows]
    told["merges"] = [merge._asdict() for merge in party.merges]
    return told


def _print_rows(known: Known, nodes: Sequence[str], console: Console) -> None:
    """The shipment rows behind some nodes."""
    if known.shipments is None or not nodes:
        return
    from cargo.network_signals import day

    wanted = sorted({int(node.rsplit(" ", 1)[1]) for node in nodes})
    by_number = {row.row: row for row in known.shipments.rows()}
    found = [by_number[number] for number in wanted]
    if console.json:
        print_json_lines({"type": "row", **_row_json(row)} for row in found)
        return
    rows = [
        (
            row.row, day(row.t_depart) or None, f"{row.load_port or '?'} - {row.discharge_port or '?'}",
            _short(row.description, 22), _short(row.shipper, 16), _short(row.consignee, 16),
            _short(row.vessel_name, 15),
        )
        for row in found
    ]  # fmt: skip
    console.table("Rows", ("row", "depart", "ports", "goods", "shipper", "consignee", "ship"), rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        console.note(f"{len(rows) - MOST_ROWS:,} more rows with --json")


def _short(text: str, n: int) -> str:
    """A text in at most `n` signs; `--json` has it whole."""
    return text if len(text) <= n else f"{text[: n - 1]}…"


def _row_json(row: Row) -> dict[str, Any]:
    from cargo.network_signals import day

    names = ("row", "load_port", "discharge_port", "description", "hs_code", "shipper", "consignee", "vessel_name")
    told = {name: getattr(row, name) for name in (*names, "source")}
    return {**told, "depart": day(row.t_depart) or None, "arrive": day(row.t_arrive) or None}


def _print_ways(known: Known, asked: Asked, on: str, console: Console) -> None:
    """The ways to listed parties, each step with its source."""
    found: list[Way] = []
    for node in (*(ship.id for ship in known.ships), *(party.id for party in known.parties)):
        for way in known.network.paths_to_listed(node, max_hops=asked.hops, limit=MOST_ROWS):
            found.append(way._replace(hit=known.network.at(way.hit, on)))
    if console.json:
        print_json_lines(_way_json(known, way) for way in found)
        return
    label = known.network.graph.nodes
    for way in found:
        rows = [(label[e.one]["label"], e.kind, label[e.other]["label"], e.how, e.source) for e in way.edges]
        standing = f"listed on {on}: {way.hit.then.answer}; " if on else ""
        hops = f"{way.hops:g} hop{'s' * (way.hops != 1)}{'' if way.sure else ', a candidate'}"
        title = f"{hops}: {way.hit.entry.name} ({standing}now: {way.hit.now.answer})"
        console.table(title, ("from", "step", "to", "how", "source"), rows)
    if not found and (known.ships or known.parties):
        console.note(f"no way of at most {asked.hops:g} hops to a listed party in what was given")
    elif not (known.ships or known.parties):
        console.note("not in the shipments, the run or the registry that were given")


def _way_json(known: Known, way: Way) -> dict[str, Any]:
    from cargo.listings import hit_json
    from cargo.network_signals import day

    label = known.network.graph.nodes
    steps = [
        {
            "from": label[e.one]["label"], "step": e.kind, "to": label[e.other]["label"], "how": e.how,
            "source": e.source, "since": day(e.t_from) or None, "until": day(e.t_to) or None,
        }
        for e in way.edges
    ]  # fmt: skip
    return {"type": "path", "hops": way.hops, "sure": way.sure, "steps": steps, "entry": hit_json(way.hit)}

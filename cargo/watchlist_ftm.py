"""Watch-lists as FollowTheMoney JSON lines: entities, the sanctions that name them, and the links between them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cargo.watchlist_files import imos, kind_of, mmsis, one
from cargo.watchlists import Entry, day_of

if TYPE_CHECKING:
    from cargo.watchlist_files import Rejects

_LINKS = {
    "Ownership": ("owner", "asset"),
    "Directorship": ("director", "organization"),
    "Representation": ("agent", "client"),
    "UnknownLink": ("subject", "object"),
    "Membership": ("member", "organization"),
    "Family": ("person", "relative"),
    "Associate": ("person", "associate"),
}
"""Schemas that tie two entities, with the properties that hold their ids."""
_COUNTRIES = ("country", "jurisdiction", "mainCountry", "nationality")
_MAX_LINE = 4 << 20
"""Characters of a line; a longer one is left out and counted."""

Entity = Mapping[str, Any]


def read_ftm(lines: Iterable[str], rejects: Rejects) -> Iterator[Entry]:
    """The entries of a file of JSON lines; a line that is no entity is left out and counted."""
    entities: dict[str, tuple[int, Entity]] = {}
    sanctions: dict[str, list[Entity]] = {}
    links: list[Entity] = []
    for n, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        entity = _parsed(n, line, rejects)
        if entity is None:
            continue
        for part in _with_nested(entity):
            schema = str(part["schema"])
            if schema == "Sanction":
                for who in _ids(part, "entity") or ([str(entity["id"])] if part is not entity else []):
                    sanctions.setdefault(who, []).append(part)
            elif schema in _LINKS:
                links.append(part)
            elif part is entity or str(part["id"]) not in entities:
                entities[str(part["id"])] = (n, part)
    tied = _tied(links, entities)
    for key, (row, entity) in entities.items():
        if kind_of(str(entity["schema"])) == "other" and key not in sanctions:
            continue
        entry = _entry(row, entity, sanctions.get(key, []), tied.get(key, []))
        if entry.name or entry.imo or entry.mmsi:
            yield entry
        else:
            rejects.add(row, "neither name nor number")


def _parsed(n: int, line: str, rejects: Rejects) -> Entity | None:
    if len(line) > _MAX_LINE:
        rejects.add(n, f"line of more than {_MAX_LINE >> 20} million characters")
        return None
    try:
        entity = json.loads(line)
    except (ValueError, RecursionError):
        rejects.add(n, "not JSON")
        return None
    if not (isinstance(entity, dict) and _is_entity(entity)):
        rejects.add(n, "no entity of FollowTheMoney (id, schema, properties)")
        return None
    return entity


def _is_entity(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("properties"), dict) and {"id", "schema"} <= set(value)


def _with_nested(entity: Entity, depth: int = 0) -> Iterator[Entity]:
    """An entity and those that stand inside its properties, as the nested exports have them."""
    yield entity
    if depth < 3:
        for values in entity["properties"].values():
            for value in values if isinstance(values, list) else ():
                if _is_entity(value):
                    yield from _with_nested(value, depth + 1)


def _values(entity: Entity, *names: str) -> tuple[str, ...]:
    """The texts of some properties, cleaned, each once."""
    found = []
    for name in names:
        values = entity["properties"].get(name, ())
        for value in values if isinstance(values, list) else (values,):
            if isinstance(value, str) and (text := one(value)):
                found.append(text)
    return tuple(dict.fromkeys(found))


def _ids(entity: Entity, name: str) -> list[str]:
    """Ids of other entities in a property, whether they stand there as ids or whole."""
    values = entity["properties"].get(name, ())
    values = values if isinstance(values, list) else [values]
    return [
        value if isinstance(value, str) else str(value["id"])
        for value in values
        if isinstance(value, str) or _is_entity(value)
    ]


def _tied(links: Iterable[Entity], entities: Mapping[str, tuple[int, Entity]]) -> dict[str, list[str]]:
    """For each entity what it is tied with: role, name, and the days if they are given."""
    tied: dict[str, list[str]] = {}
    for link in links:
        first, second = _LINKS[str(link["schema"])]
        days = " to ".join(day for name in ("startDate", "endDate") for day in _values(link, name)[:1])
        for here, there, role in ((first, second, second), (second, first, first)):
            for who in _ids(link, here):
                for other in _ids(link, there):
                    if other in entities:
                        name = _caption(entities[other][1])
                        tied.setdefault(who, []).append(f"{role}: {name}" + (f" ({days})" if days else ""))
    return tied


def _caption(entity: Entity) -> str:
    return next(iter(_values(entity, "name")), "") or one(str(entity.get("caption", "")))


def _entry(row: int, entity: Entity, sanctions: list[Entity], tied: list[str]) -> Entry:
    days = sorted(day for s in sanctions for text in _values(s, "listingDate", "startDate") if (day := day_of(text)))
    ends = [day_of(next(iter(_values(s, "endDate")), "")) for s in sanctions]
    names = _values(entity, "name")
    owners = [text.removeprefix("owner: ") for text in tied if text.startswith("owner: ")]
    return Entry(
        uid=one(str(entity["id"])),
        kind=kind_of(str(entity["schema"])),
        name=_caption(entity),
        others=(*names[1:], *_values(entity, "alias", "weakAlias", "abbreviation")),
        former=_values(entity, "previousName"),
        imo=imos(" ".join(_values(entity, "imoNumber"))),
        mmsi=mmsis(" ".join(_values(entity, "mmsi"))),
        callsign=next(iter(_values(entity, "callSign")), ""),
        flag=next(iter(_values(entity, "flag")), ""),
        past_flags=_values(entity, "pastFlags"),
        type=next(iter(_values(entity, "type")), ""),
        gross=next(iter(_values(entity, "grossRegisteredTonnage")), ""),
        deadweight=next(iter(_values(entity, "deadweightTonnage")), ""),
        owner=owners[0].split(" (")[0] if owners else "",
        linked=tuple(dict.fromkeys(tied)),
        countries=tuple(
            code.upper() for code in _values(entity, "country", "jurisdiction", "mainCountry", "nationality")
        ),
        addresses=_values(entity, "address"),
        identifiers=tuple(
            (kind, value)
            for kind, names in (
                ("tax", ("taxNumber", "innCode", "vatCode")),
                ("registration", ("registrationNumber", "ogrnCode")),
                ("email", ("email",)),
                ("phone", ("phone",)),
            )
            for value in _values(entity, *names)
        ),
        program=tuple(dict.fromkeys(text for s in sanctions for text in _values(s, "program", "authority"))),
        listed=bool(sanctions) or "sanction" in _values(entity, "topics"),
        listed_on=days[0] if days else "",
        delisted_on=max(ends) if ends and all(ends) else "",
        seen_from=day_of(str(entity.get("first_seen", ""))),
        founded_on=day_of(next(iter(_values(entity, "incorporationDate")), "")),
        url=next(iter(_values(entity, "sourceUrl")), ""),
        row=row,
    )

"""Words that shipping papers use: what a text says about goods, and what a name says about a party's role.

The lists are reviewable and in several languages; that of goods is `tables/lexicon.csv`. A text without any of the
words is "not said", never "no".
Roles are those a record assigns (carrier, forwarder, bank); they say nothing about what anybody knew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from cargo.identifiers import is_missing
from cargo.negation import negated
from cargo.terms import Term, places
from cargo.wording import MAX_CHARACTERS, fold, tokens

_VAGUE = re.compile(
    r"VEHICLES?|CARS?|AUTOS?|AUTOMOBILES?|GOODS|CARGO|MERCHANDISE|EFFECTS|EQUIPMENT|MACHINERY|PRODUCTS|ARTICLES|"
    r"FREIGHT|CONTAINERS?|UNITS?|차량|车辆"
)
_FILLER = re.compile(
    r"\d+|AN?|AND|OF|THE|GENERAL|PERSONAL|MIXED|VARIOUS|SAID|TO|CONTAIN|STC|FAK|ALL|KINDS|PCS?|X|IN|ON|RETURN|SHIPMENT|"
    r"CONSOLIDATED|OTHER|MISC|MISCELLANEOUS"
)
_ROLES = (
    ("to order", r"^TO (?:THE )?ORDER\b"),
    ("bank", r"\bBANK(?:ING)?\b|\bBANCO\b|\bBANQUE\b|银行|은행|\bБАНК\b"),
    ("master", r"\bMASTER OF\b|\bMASTER\b.*\b(?:VESSEL|SHIP|M ?V)\b|\bCAPTAIN OF\b|船长|선장"),
    ("embassy", r"\bEMBASSY\b|\bCONSULATE\b|\bDIPLOMATIC MISSION\b|大使|대사관|\bПОСОЛЬСТВО\b"),
    (
        "forwarder",
        r"\bLOGISTICS?\b|\bFORWARD(?:ING|ERS?)\b|\bFREIGHT\b|\bSPEDITION\w*|\bSPEDIZION\w*|\bTRANSPORTS?\b|"
        r"\bCARGO SERVICES?\b|\bEXPRESS\b|物流|货运|물류|ЛОГИСТИК\w*",
    ),
    ("carrier", r"\bSHIPPING\b|\bNAVIGATION\b|\bMARI(?:TIM|N)E\b|\bLINES?\b|海运|해운"),
    ("dealer", r"\bMOTORS?\b|\bA[UV]TO\w*\b|\bCARS?\b|\bDEALERS?\b|\bVEHICLES?\b"),
)
"""Role and pattern, the first that matches wins; the patterns see folded words with single spaces between."""

_RETURNED = re.compile(
    r"\bRETURN(?:ED)? (?:SHIPMENT|CARGO|GOODS)\b|\bSHIPPED BACK\b|\bRE ?EXPORT\w*|\bIN TRANSIT\b|積戻|退运|반송|"
    r"РЕЭКСПОРТ"
)

CONCEALING_ROLES = frozenset({"to order", "bank", "master", "forwarder", "carrier"})
"""Consignees who receive goods for somebody whom the record does not name."""
END_USER_ROLES = frozenset({"embassy", "dealer"})
"""Consignees who can be asked what became of the goods."""


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(text)))


class Hit(NamedTuple):
    """A term of the lexicon in a description."""

    text: str
    """As it stands in the description, folded."""
    term: Term
    negated_by: str
    """The words that say the goods are not this, "" where there are none."""

    @property
    def speaks(self) -> bool:
        """Whether it says what the goods are: not negated, and no context or negative itself."""
        return not self.negated_by and self.term.kind not in ("context", "negative")


ALONE = "stands alone"
"""What negates an everyday word (Jaguar, Omega, B6) without another term of its category beside it."""


def find_terms(description: str, lang: str | None = None) -> tuple[Hit, ...]:
    """The terms of the lexicon in a description, from left to right, with what negates each.

    >>> [(hit.text, hit.term.category, hit.negated_by) for hit in find_terms("Toy car, Lexus LX-570")]
    [('TOY', 'toy', ''), ('CAR', 'vehicle', 'TOY'), ('LEXUS', 'vehicle', ''), ('LX-570', 'vehicle', '')]
    """
    folded = fold(description[:MAX_CHARACTERS])
    found = tokens(folded)
    placed = places(folded, found, lang)
    texts = [folded[found[place.first].start : found[place.last - 1].end] for place in placed]
    hits = [Hit(*each) for each in zip(texts, (p.term for p in placed), negated(folded, found, placed), strict=True)]
    there = _company(hits)
    return tuple(hit if _has_company(hit, there) else hit._replace(negated_by=ALONE) for hit in hits)


def _company(hits: Sequence[Hit]) -> dict[str, set[str]]:
    """By category what can keep a term company: "any" for a term that stands by itself, else its kind."""
    there: dict[str, set[str]] = {}
    for hit in hits:
        if not hit.negated_by and hit.term.kind != "negative":
            kind = hit.term.kind if "company" in hit.term.rules else "any"
            there.setdefault(hit.term.category, set()).add(kind)
    return there


def _has_company(hit: Hit, there: Mapping[str, set[str]]) -> bool:
    """Whether a term that needs another of its category beside it has one, of another kind if that needs one too."""
    if "company" not in hit.term.rules or hit.negated_by:
        return True
    return bool(there[hit.term.category] - {hit.term.kind})


@lru_cache(maxsize=65_536)
def armour_word(description: str) -> str:
    """The word by which a description speaks of an armoured vehicle, "" if none (toys and parts do not count).

    >>> armour_word("Armoured limousine 6.0 l V12, class VR9"), armour_word("toy armoured car"), armour_word("car")
    ('ARMOURED', '', '')
    """
    return next((hit.text for hit in find_terms(description) if hit.speaks and hit.term.kind == "armour"), "")


@lru_cache(maxsize=65_536)
def luxury_word(description: str) -> str:
    """The word by which a description speaks of a luxury item, armour included, "" if none.

    >>> luxury_word("Used LX 570, 2015"), luxury_word("spare parts for limousine"), luxury_word("used sedan")
    ('LX 570', '', '')
    """
    return next((hit.text for hit in find_terms(description) if hit.speaks and "luxury" in hit.term.rules), "")


_ALWAYS_LUXURY = frozenset({"vehicle", "vessel", "aircraft", "jewellery", "gem", "fur", "caviar", "truffle", "art"})
"""Categories whose items in the lexicon are luxuries whoever made them; a wrist watch or a bottle need not be."""


@lru_cache(maxsize=65_536)
def luxurious_word(description: str) -> str:
    """The word by which a description says that its goods are luxuries of their kind: maker, model, armour, limousine.

    >>> luxurious_word("wrist watch"), luxurious_word("wrist watch ROLEX"), luxurious_word("limousine")
    ('', 'ROLEX', 'LIMOUSINE')
    """
    return next(
        (
            hit.text
            for hit in find_terms(description)
            if hit.speaks
            and "luxury" in hit.term.rules
            and (hit.term.kind != "item" or hit.term.category in _ALWAYS_LUXURY)
        ),
        "",
    )


@lru_cache(maxsize=65_536)
def is_vague(description: str) -> bool:
    """Whether a description names no kind of goods ("vehicles", "general cargo"), or is missing.

    >>> is_vague("Vehicles"), is_vague("2 units vehicles"), is_vague("used passenger car, petrol 1.6 l"), is_vague("")
    (True, True, False, True)
    """
    if is_missing(description):
        return True
    words = [word for word in _plain(description).split() if not _FILLER.fullmatch(word)]
    return all(_VAGUE.fullmatch(word) for word in words)


@lru_cache(maxsize=65_536)
def party_role(name: str) -> str:
    """The role that a party's name itself states: one of the roles above, "missing", or "" for not said.

    >>> party_role("Example Logistics Co., Ltd"), party_role("TO THE ORDER OF EXAMPLE BANK"), party_role("Aoyama Co")
    ('forwarder', 'to order', '')
    >>> party_role("Master of SEA LARK 5"), party_role("N/A")
    ('master', 'missing')
    """
    if is_missing(name):
        return "missing"
    text = _plain(name)
    return next((role for role, pattern in _ROLES if re.search(pattern, text)), "")


@lru_cache(maxsize=65_536)
def returned_word(text: str) -> str:
    """The words by which a paper says that goods were sent on or back without being entered, "" if none.

    >>> returned_word("bill of lading; return shipment, not cleared"), returned_word("return trip by bus")
    ('RETURN SHIPMENT', '')
    """
    found = _RETURNED.search(_plain(text))
    return found[0] if found else ""

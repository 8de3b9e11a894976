"""The words of a place's name, so that two ways of writing it are one: case, accents, signs, Cyrillic letters.

Cyrillic becomes Latin by the table of BGN/PCGN without its accents, which is how charts and AIS write Russian ports.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache
from pathlib import Path

_LATIN = "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch y e yu ya i yi ye g u"  # of the letters below
_CYRILLIC = dict(zip("абвгдеёжзийклмнопрстуфхцчшщыэюяіїєґў", _LATIN.split(), strict=True)) | {"ь": "", "ъ": ""}
_LETTERS = str.maketrans(_CYRILLIC | dict(zip("øłđıþæœ", ["o", "l", "d", "i", "th", "ae", "oe"], strict=True)))
_ASCII_WORD = re.compile("[a-z0-9]+")
_SILENT = str.maketrans("", "", "'’ʼ‘`´ʻ\"")


def _all(text: str) -> frozenset[str]:
    return frozenset(text.split())


GENERIC = _all(
    "port ports pt prt porto puerto portul pelabuhan harbour harbor hbr hafen havn hamn haven havre "
    "terminal term tml trml berth berths dock docks quay wharf pier jetty mole "
    "anch anchorage anchor ancho anchge roads roadstead road rds rd reyd pilot pilots station stn sta "
    "opl eopl wopl opa outer inner area waters buoy zone approach approaches off "
    "bukhta zaliv of the at for via to in eta order orders declared"
)
"""Words that say what a place is and not which."""
OF = _all("of de del di do da du")
NOWHERE = _all(
    "none nil na unknown unkown tba tbc tbn tbd fishing drifting sailing towing sea seas high deep ballast bunkering "
    "repair waiting open ocean test"
)
"""What stands in the field of the destination and is none, alone or beside generic words."""
_ENDINGS = _all("ko hang gang kang wan new")
"""The same, but only at the end of a name: "Moji Ko", "Haeju Hang", and "new" of "New Port"."""
_PORT_SIGNS = ("항", "港", "市", "시")
"""Endings that mean port or city in Korean, Chinese and Japanese."""
ROMAN = _all("i ii iii iv v vi vii viii ix x xi xii")


def words(text: str) -> tuple[str, ...]:
    """The words of a name without case, accents and signs; "Saint" is "st".

    >>> words("Pos’yet"), words("Владивосток"), words("PORT OF SAINT-NAZAIRE"), words("Ærøskøbing")
    (('posyet',), ('vladivostok',), ('port', 'of', 'st', 'nazaire'), ('aeroskobing',))
    """
    if text.isascii():  # most names; a fifth of the time
        found = _ASCII_WORD.findall(text.lower().replace("'", "").replace("`", "").replace('"', ""))
    else:
        latin = unicodedata.normalize("NFC", text).casefold().translate(_SILENT).translate(_LETTERS)
        signs = unicodedata.normalize("NFKD", latin).casefold()
        split = "".join(sign if sign.isalnum() else " " for sign in signs if not unicodedata.combining(sign)).split()
        found = [unicodedata.normalize("NFC", word) for word in split]
    return tuple("st" if word in ("saint", "sankt") else _without_port_sign(word) for word in found)


def _without_port_sign(word: str) -> str:
    return word[:-1] if len(word) > 2 and word.endswith(_PORT_SIGNS) else word


def is_number(word: str) -> bool:
    """Whether a word is a numeral, Arabic or Roman: what tells two terminals apart.

    >>> is_number("12"), is_number("iii"), is_number("rotterdam")
    (True, True, False)
    """
    return word.isdigit() or word in ROMAN


def core(name: tuple[str, ...]) -> tuple[str, ...]:
    """A name without the generic words at its ends, and the numbers of berths beside them.

    >>> core(words("Port of Pusan New Port")), core(words("Incheon Terminal 2")), core(words("Port"))
    (('pusan',), ('incheon',), ())
    """
    while name:
        if name[0] in GENERIC:
            name = name[2:] if len(name) > 2 and name[1] in OF else name[1:]
        elif (
            name[-1] in GENERIC
            or name[-1] in _ENDINGS
            or (len(name) > 2 and is_number(name[-1]) and name[-2] in GENERIC)
        ):
            name = name[:-1]
        else:
            break
    return name


@cache
def _countries() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Codes (ISO 3166 alpha-2) by the words of a country's name, and the code itself; the main bearer first."""
    with (Path(__file__).parent / "tables" / "countries.csv").open(encoding="utf-8", newline="") as lines:
        rows = [(row["code"], row["names"].split(";")) for row in csv.DictReader(lines)]
    found: dict[tuple[str, ...], list[str]] = {}
    for code, names in rows:
        found.setdefault(words(names[0]), []).append(code)
    for code, names in rows:
        for name in (code, *names[1:]):
            found.setdefault(words(name), []).append(code)
    return {name: tuple(dict.fromkeys(codes)) for name, codes in found.items()}


_US_STATES = _all(
    "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa "
    "ri sc sd tn tx ut vt va wa wv wi wy"
)


def countries_of(name: tuple[str, ...]) -> tuple[str, ...]:
    """The countries that words may name, the likeliest first; none for anything else.

    "PT", "IN" and "TO" are words of a port's name here. Two letters may be a state of the USA: "CA" is Canada or
    California.

    >>> countries_of(words("Korea")), countries_of(words("U.K.")), countries_of(words("CA")), countries_of(("xx",))
    (('KP', 'KR'), ('GB',), ('CA', 'US'), ())
    """
    found = () if name and name[0] in GENERIC and len(name) == 1 else _countries().get(name, ())
    if len(name) == 1 and name[0] in _US_STATES and "US" not in found:
        return (*found, "US")
    return found

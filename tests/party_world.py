"""Made-up firms with truth: how they are written in rows, with typing errors, in other scripts, among look-alikes."""

from __future__ import annotations

import random
from typing import NamedTuple

from cargo.parties import Mention

TRADES = ["TRADING", "SHIPPING", "LOGISTICS", "TRANSPORT", "ELECTRONICS", "IMPEX", "MARITIME", "MOTORS"]
FORMS = {
    "PA": ["S.A.", "SA", "CORP", "INC."],
    "CN": ["CO., LTD.", "CO LTD", "COMPANY LIMITED", "LTD"],
    "KR": ["CO., LTD.", "CO LTD", "CO.,LTD", ""],
    "RU": ["LLC", "OOO", "LTD", ""],
    "DE": ["GMBH", "GmbH", "", "MBH"],
}
STREETS = ["HARBOUR", "MARKET", "STATION", "RIVER", "BRIDGE", "TEMPLE", "GARDEN", "MILL", "QUAY", "HILL"]


def _signs(signs: str, sounds: str) -> dict[str, str]:
    return dict(zip(signs, sounds.split(), strict=True))


HAN = _signs("大连华信海东山明金龙宝泰", "DA LIAN HUA XIN HAI DONG SHAN MING JIN LONG BAO TAI")
HANGUL = _signs("도영대한동서남해성진우민", "DO YEONG DAE HAN DONG SEO NAM HAE SEONG JIN U MIN")
CYRILLIC = _signs("абвгдеилмнорстук", "a b v g d e i l m n o r s t u k")
TRADE_WORDS = {
    "CN": {"TRADING": "贸易", "SHIPPING": "海运", "LOGISTICS": "物流", "TRANSPORT": "运输", "ELECTRONICS": "电子"},
    "KR": {"TRADING": "무역", "SHIPPING": "해운", "LOGISTICS": "물류", "TRANSPORT": "운수"},
    "RU": {"TRADING": "Трейдинг", "SHIPPING": "Шиппинг", "LOGISTICS": "Логистика"},
}


class Firm(NamedTuple):
    core: str
    trade: str
    number: str
    country: str
    address: tuple[int, str, str, int]
    tax: str
    script: str


def _syllables(rng: random.Random, n: int) -> str:
    return "".join(
        rng.choice("BDGKLMNPRSTVZ") + rng.choice("AEIOU") + rng.choice(["", "N", "R", "L", ""]) for _ in range(n)
    )


def _firm(rng: random.Random) -> Firm:
    country = rng.choice(list(FORMS))
    script, core = "", ""
    if country == "CN":
        signs = rng.sample(list(HAN), 4)
        core, script = f"{HAN[signs[0]]}{HAN[signs[1]]} {HAN[signs[2]]}{HAN[signs[3]]}", "".join(signs)
    elif country == "KR":
        signs = rng.sample(list(HANGUL), 4)
        core, script = " ".join(HANGUL[sign] for sign in signs), "".join(signs)
    else:
        core = " ".join(_syllables(rng, rng.choice([2, 3])) for _ in range(rng.choice([1, 2])))
        if country == "RU":
            back = {latin.upper(): sign for sign, latin in CYRILLIC.items()}
            if all(letter in back or letter == " " for letter in core):
                script = "".join(back.get(letter, " ") for letter in core).title()
    address = (rng.randint(1, 400), rng.choice(STREETS), _syllables(rng, 3), rng.randint(1, 30))
    number = str(rng.randint(1, 9)) if rng.random() < 0.15 else ""
    return Firm(core, rng.choice(TRADES), number, country, address, str(rng.randint(10**9, 10**10)), script)


def _look_alike(rng: random.Random, firm: Firm) -> Firm:
    """Another firm, nearly of the same name: one letter, a numeral, the trade or the country is another."""
    other = _firm(rng)
    kind = rng.choice(["letter", "numeral", "trade", "country"])
    name = firm._replace(address=other.address, tax=other.tax, script="")
    if kind == "letter":
        at = rng.randrange(len(firm.core))
        return name._replace(core=(firm.core[:at] + rng.choice("AEIOUNRLST") + firm.core[at + 1 :]).strip() or "ZZ")
    if kind == "numeral":
        return name._replace(number=str(int(firm.number or "0") + 1))
    if kind == "trade":
        return name._replace(trade=rng.choice([trade for trade in TRADES if trade != firm.trade]))
    return name._replace(country=rng.choice([code for code in FORMS if code != firm.country]))


def misspelt(rng: random.Random, text: str, rate: float) -> str:
    """Each letter left out, doubled, changed or swapped with the next one with probability `rate`."""
    out, i = [], 0
    while i < len(text):
        if text[i].isalpha() and rng.random() < rate:
            kind = rng.choice("odcs")
            if kind == "d":
                out.append(text[i] * 2)
            elif kind == "c":
                out.append(rng.choice("ABCDEFGHIJKLMNOPRSTUVWYZ"))
            elif kind == "s" and i + 1 < len(text):
                out.append(text[i + 1] + text[i])
                i += 1
        else:
            out.append(text[i])
        i += 1
    return "".join(out)


def _written(rng: random.Random, firm: Firm, rate: float) -> str:
    trades = TRADE_WORDS.get(firm.country, {})
    if firm.script and firm.trade in trades and rng.random() < 0.3:
        number = f" {firm.number}" if firm.number else ""
        if firm.country == "CN":
            return f"{firm.script}{firm.number}{trades[firm.trade]}有限公司"
        if firm.country == "KR":
            return f"주식회사 {firm.script}{trades[firm.trade]}{number}"
        return f"ООО «{firm.script} {trades[firm.trade]}{number}»"
    words = [*firm.core.split(), *([firm.number] if firm.number else []), firm.trade]
    if len(words) > 2 and rng.random() < 0.1:
        words = ["".join(words[:2]), *words[2:]]
    name = misspelt(rng, " ".join(words), rate)
    form = rng.choice(FORMS[firm.country])
    return rng.choice([str.upper, str.title])(name) + (f" {form}" if form else "")


def _addressed(rng: random.Random, firm: Firm, rate: float) -> str:
    number, street, town, floor = firm.address
    if rng.random() < 0.35:
        return ""
    where = rng.choice(
        [
            f"{number} {street} ROAD, {floor}/F, {town}",
            f"No.{number}, {street} Rd., Floor {floor}, {town}",
            f"{town}, {street} road {number}, fl. {floor}",
            f"{number} {street} RD {town}",
        ]
    )
    return misspelt(rng, where, rate / 2)


def world(seed: int, firms: int, *, rate: float = 0.01, mentions: float = 4.0) -> tuple[list[Mention], list[int]]:
    """Mentions in mixed order and the firm behind each; a third of the firms are look-alikes of others."""
    rng = random.Random(seed)
    made: list[Firm] = []
    while len(made) < firms:
        firm = _firm(rng)
        made.append(firm)
        if rng.random() < 0.5 and len(made) < firms:
            made.append(_look_alike(rng, firm))
    told = []
    for who, firm in enumerate(made):
        for _ in range(max(1, round(rng.expovariate(1.0 / mentions)))):
            country = firm.country if rng.random() < 0.7 else ""
            numbers = (("tax", firm.tax),) if rng.random() < 0.2 else ()
            told.append((_written(rng, firm, rate), _addressed(rng, firm, rate), country, numbers, who))
    rng.shuffle(told)
    rows = [Mention(n, "consignee", *parts[:4]) for n, parts in enumerate(told, start=1)]
    return rows, [parts[4] for parts in told]


def agreement(found: list[object], truth: list[int]) -> tuple[float, float]:
    """Precision and recall over pairs of mentions."""
    from collections import Counter

    def pairs(labels: list[object]) -> int:
        return sum(n * (n - 1) // 2 for n in Counter(labels).values())

    both = pairs(list(zip(found, truth, strict=True)))
    return both / max(pairs(found), 1), both / max(pairs(list(truth)), 1)

"""Goods descriptions as tokens that can be compared across scripts, spellings and ways of typing.

A word of Latin, Cyrillic or another alphabet is a token, so is a run of digits, and so is each character of Chinese,
Japanese and Korean, which do not part words by spaces. `LX 570`, `LX-570` and `LX570` are thus the same two tokens.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

MAX_CHARACTERS = 10_000
"""Characters of a description that are read; bills of lading have a few hundred."""

FOLDED = 4_096
"""Texts whose folded form is remembered."""

_CJK = "\u3005\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_TOKENS = re.compile(rf"[A-Z]+|[Ѐ-ӿ]+|[0-9]+|[{_CJK}]|[^\W\d_]")
_CYRILLIC = re.compile("[Ѐ-ӿ]")
_CODE = re.compile("[A-Z0-9Ѐ-ӿ]+")
_LOOKALIKES = str.maketrans("АВЕКМНОРСТУХІЈЅ", "ABEKMHOPCTYXIJS")


class Token(NamedTuple):
    """A token and where it stands in the folded text."""

    text: str
    start: int
    end: int


class _Fold(dict[int, str]):
    """How one character is read: without accents (but й is no и), and nothing where nothing is seen."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)
        if kind in ("Cf", "Cs", "Mn"):
            made = ""
        elif kind == "Cc":
            made = "\n" if character in "\n\r" else " "
        else:
            base = unicodedata.normalize("NFD", character)[0]
            made = "Е" if character == "Ё" else base if "A" <= base <= "Z" else character
        self[code] = made
        return made


_FOLD = _Fold()


@lru_cache(maxsize=FOLDED)
def fold(text: str) -> str:
    """A text in capitals and full-width forms made plain, without accents, control and direction-changing characters.

    Only the first `MAX_CHARACTERS` are read. Cyrillic letters that look Latin are taken as Latin where they stand in
    one word with Latin letters, or alone with digits.

    >>> fold("Бронированный Мерседес, класс В6"), fold("ＬＸ５７０ Citroën"), fold("방탄")
    ('БРОНИРОВАННЫЙ МЕРСЕДЕС, КЛАСС B6', 'LX570 CITROEN', '방탄')
    """
    upper = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).upper()[: 2 * MAX_CHARACTERS]
    plain = upper if upper.isascii() and upper.isprintable() else upper.translate(_FOLD)
    return _CODE.sub(_one_alphabet, plain) if _CYRILLIC.search(plain) else plain


def _one_alphabet(found: re.Match[str]) -> str:
    word = found[0]
    if not _CYRILLIC.search(word) or not re.search("[A-Z0-9]", word):
        return word
    latin = word.translate(_LOOKALIKES)
    mixed = re.search("[A-Z]", word) or (re.search("[0-9]", word) and len(re.sub("[0-9]", "", word)) <= 3)
    return latin if mixed and not _CYRILLIC.search(latin) else word


def tokens(folded: str) -> list[Token]:
    """The tokens of a folded text.

    >>> [token.text for token in tokens("LX-570 防弹")]
    ['LX', '570', '防', '弹']
    """
    return [Token(found[0], found.start(), found.end()) for found in _TOKENS.finditer(folded)]


def is_cjk(token: str) -> bool:
    """Whether a token is one character of Chinese, Japanese or Korean.

    >>> is_cjk("防"), is_cjk("LX")
    (True, False)
    """
    return len(token) == 1 and token >= "\u3005"


def script_language(folded: str) -> str:
    """The language that the script of a text shows, where it does: "ja" by kana, "ko" by Hangul, "ru" by Cyrillic.

    Chinese characters alone may be Chinese or Japanese: "zh" is only the more likely.

    >>> script_language("おもちゃの自動車"), script_language("방탄차"), script_language("LX570")
    ('ja', 'ko', '')
    """
    for language, letters in (("ja", "[ぁ-ヺ]"), ("ko", "[가-힣]"), ("ru", "[Ѐ-ӿ]"), ("zh", "[一-鿿]")):
        if re.search(letters, folded):
            return language
    return ""

"""Texts of strangers made fit to be shown: no control or direction-changing character, no lone surrogate, not too long.

Names come by radio and from papers of unknown hands. What is taken out leaves U+FFFD, so that it can be seen; what is
cut says how long it was.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

MAX_CHARACTERS = 2_000
"""Of one text in an exhibit or an export; the whole text stays in findings.json."""
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef]"
    "|[" + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)) + "]"
)
_FORMULA = tuple("=+-@\t\r\n|%＝＋－＠")
"""First characters that spreadsheets may take for a formula (OWASP, CSV Injection), full-width forms too."""
_TRIMMED = " \xa0\ufeff"
"""Spreadsheets trim these before they look."""


def safe_text(value: object, limit: int = MAX_CHARACTERS) -> str:
    """A value as one line of clean text; None is "".

    >>> safe_text("SEA\\u202e LARK\\n5"), safe_text(None), safe_text("x" * 9, 4)
    ('SEA\\ufffd LARK 5', '', 'xxxx… (9 characters)')
    """
    if value is None:
        return ""
    text = str(value)
    length = len(text)
    kept = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", " ".join(re.split("[\t\r\n]+", text[:limit])))
    return kept if length <= limit else f"{kept}… ({length:,} characters)"


def safe(value: Any, limit: int = MAX_CHARACTERS) -> Any:
    """The same JSON with every text and key made safe, and numbers that JSON has not (NaN, infinities) as None.

    >>> safe({"a\\x00": ["b\\x1b", 1, float("nan"), None]})
    {'a\\ufffd': ['b\\ufffd', 1, None, None]}
    """
    if isinstance(value, Mapping):
        return {safe_text(key, limit): safe(part, limit) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [safe(part, limit) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float) else safe_text(value, limit)


def guarded_in_sql(column: str) -> str:
    """`guarded` of a column as SQL of DuckDB; `column` is an expression.

    >>> guarded_in_sql("name").startswith("case when regexp_matches(name, ")
    True
    """
    signs = "".join(re.escape(sign) for sign in _FORMULA)
    return f"case when regexp_matches({column}, '^[{_TRIMMED}]*[{signs}]') then chr(39) || {column} else {column} end"


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe is put before =, +, -, @, tab, CR and their kin.

    Spaces before the sign count for nothing: spreadsheets trim them.

    >>> guarded("=1+1"), guarded(" @SUM(A1)"), guarded("SEA LARK 5")
    ("'=1+1", "' @SUM(A1)", 'SEA LARK 5')
    """
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip(_TRIMMED).startswith(_FORMULA) else text

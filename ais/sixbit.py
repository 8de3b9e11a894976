"""Six-bit text: ITU-R M.1371-5, table 47.

Four characters of six bits are three bytes, which is what base64 writes too, in another alphabet: so its C code does
the work, and a table changes the alphabet.
"""

from __future__ import annotations

import binascii

from geo.errors import UsageError

ALPHABET = "@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_ !\"#$%&'()*+,-./0123456789:;<=>?"
"""The character of each number of six bits."""

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_FROM_BASE64 = bytes.maketrans(_BASE64, ALPHABET.encode())
_TO_BASE64 = bytes.maketrans(ALPHABET.encode(), _BASE64)


def all_characters(number: int, n: int) -> str:
    """The `n` characters of a number of 6 `n` bits, as sent.

    >>> all_characters(0b000001_000010_000000_100000, 4)
    'AB@ '
    """
    groups = (n + 3) // 4
    packed = (number << 6 * (4 * groups - n)).to_bytes(3 * groups)
    return binascii.b2a_base64(packed, newline=False).translate(_FROM_BASE64).decode()[:n]


def cut(text: str) -> str | None:
    """A text up to its first `@`, without trailing spaces; None if nothing is left, which means "not available".

    >>> cut("SEA LARK  @@@X"), cut("@@@@")
    ('SEA LARK', None)
    """
    return text.partition("@")[0].rstrip(" ") or None


def text(number: int, n: int) -> str | None:
    """The text in a number of 6 `n` bits, cut at its end."""
    return cut(all_characters(number, n))


def number(field: str, value: str, n: int) -> int:
    """The number of 6 `n` bits for a text, filled with `@`; small letters become capital ones.

    Raises
    ------
    UsageError
        If the text is too long or has a character that six bits cannot hold. `field` is named in the message.

    Examples
    --------
    >>> all_characters(number("name", "Sea", 5), 5)
    'SEA@@'
    """
    capital = value.upper()
    if len(capital) > n:
        raise UsageError(f"{field} {value!r} has {len(capital)} characters; {n} is the most")
    wrong = sorted(set(capital) - set(ALPHABET[1:]))
    if wrong:
        raise UsageError(f"{field} {value!r}: {wrong[0]!r} is not in the six-bit alphabet {ALPHABET[1:]!r}")
    groups = (n + 3) // 4
    packed = binascii.a2b_base64(capital.encode().ljust(4 * groups, b"@").translate(_TO_BASE64))
    return int.from_bytes(packed) >> 6 * (4 * groups - n)

"""Slips of the hand, told by trying them all."""

import string

from ais.imo import imo_valid


def edits(text, letters):
    """All texts one insertion, deletion, replacement or swap of neighbours away."""
    cuts = [(text[:k], text[k:]) for k in range(len(text) + 1)]
    lost = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    replaced = {a + c + b[1:] for a, b in cuts if b for c in letters}
    more = {a + c + b for a, b in cuts for c in letters}
    return (lost | swapped | replaced | more) - {text}


def one_letter_apart(one, other):
    """Ship keys whose letters are one slip apart, and whose numerals are the same."""
    (a, _, x), (b, _, y) = one.partition("|"), other.partition("|")
    return x == y and len(a) >= 5 and b in edits(a, string.ascii_uppercase)


def one_slip_apart(text, number):
    """An IMO number that is none, and a valid one that a slip of a digit makes of it (a digit more or less too)."""
    digits = "".join(c for c in text if c in string.digits)
    if not 6 <= len(digits) <= 8 or (len(digits) == 7 and imo_valid(int(digits))):
        return False
    return number in edits(digits, string.digits) and len(number) == 7 and (len(digits) != 7 or len(number) == 7)

"""Whole lines out of a stream that comes in pieces, whatever the pieces are."""

from __future__ import annotations

LONGEST_LINE = 4096
"""Bytes of a line without its end: a longer one is cut there. A tag block and a sentence have under 300."""

LINE_TOO_LONG = "line longer than the limit"
"""The reason under which what is cut off is counted; it is that of the decoder."""


class Lines:
    """The lines of one stream; a line of any length takes at most `LONGEST_LINE` bytes of memory.

    `cut_bytes` counts what was cut off long lines.

    >>> lines = Lines()
    >>> lines.feed(b"one\\ntw"), lines.feed(b"o"), lines.feed(b"\\nthree"), lines.end()
    (b'one\\n', b'', b'two\\n', b'three\\n')
    """

    def __init__(self) -> None:
        self.cut_bytes = 0
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> bytes:
        """The lines that end in these bytes, those that are too long cut."""
        if self._skipping:
            end = data.find(b"\n") + 1
            self.cut_bytes += (end - 1) if end else len(data)
            if not end:
                return b""
            self._skipping, data = False, data[end:]
        text = self._rest + data if self._rest else data
        whole = text.rfind(b"\n") + 1
        short = _short_until(text)
        if short >= whole and len(text) - whole <= LONGEST_LINE:
            self._rest = text[whole:]
            return text if whole == len(text) else text[:whole]
        return self._cut(text)

    def _cut(self, text: bytes) -> bytes:
        """The same, line by line."""
        parts = []
        *whole, rest = text.split(b"\n")
        for line in whole:
            parts.append(line[:LONGEST_LINE])
            self.cut_bytes += max(0, len(line) - LONGEST_LINE)
        if len(rest) > LONGEST_LINE:
            parts.append(rest[:LONGEST_LINE])
            self.cut_bytes += len(rest) - LONGEST_LINE
            self._skipping, rest = True, b""
        self._rest = rest
        return b"\n".join([*parts, b""]) if parts else b""

    def end(self) -> bytes:
        """The stream has ended: its last line, where it had no line end."""
        rest, self._rest, self._skipping = self._rest, b"", False
        return rest + b"\n" if rest else b""


def _short_until(text: bytes) -> int:
    """A place at a line end up to which no line is too long."""
    end = 0
    while (cut := text.rfind(b"\n", end, end + LONGEST_LINE + 1) + 1) > 0:
        end = cut
    return end

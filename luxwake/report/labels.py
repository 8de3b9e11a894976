"""Labels on a map: placed one by one, the most important first, so that none covers another or a symbol.

Greedy placement: each label tries the places around its point, near ones first, then farther ones with a leader
line, and takes the first that is free. A label that finds none is left out and counted; its symbol keeps its tooltip.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from luxwake.report.markup import Markup, element, join

FONT_PX = 12.0
_LINE_PX = 14.0
_CHARACTER_EM = 0.56
"""Mean width of a character of a sans-serif face; wide faces reach 0.6, so boxes carry 3 px of air."""
_SIDES = ((1, 0), (-1, 0), (1, -1), (1, 1), (-1, -1), (-1, 1), (0, -1), (0, 1))
_DISTANCES_PX = (7.0, 26.0, 48.0)

Rect = tuple[float, float, float, float]


@dataclass(frozen=True)
class Label:
    """A text of one or more lines that belongs to a point; the lower `rank` is placed first."""

    x: float
    y: float
    lines: tuple[str, ...]
    rank: int
    style: str = "place"


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@dataclass
class Labels:
    """The labels of one map of a given size; `keep_clear` and `keep_off` reserve ground before `place` is called."""

    width: float
    height: float
    wanted: list[Label] = field(default_factory=list)
    taken: list[Rect] = field(default_factory=list)
    lines: list[Rect] = field(default_factory=list)
    left_out: int = 0

    def add(self, x: float, y: float, *lines: str, rank: int, style: str = "place") -> None:
        """Ask for a label at a point of the map, in pixels."""
        if 0.0 <= x <= self.width and 0.0 <= y <= self.height:
            self.wanted.append(Label(x, y, lines, rank, style))

    def keep_clear(self, x: float, y: float, radius: float) -> None:
        """Ground that no label may cover: a symbol."""
        self.taken.append((x - radius, y - radius, x + radius, y + radius))

    def keep_off(self, x: float, y: float, radius: float = 3.0) -> None:
        """Ground that a label leaves free if it can: a point of a line."""
        self.lines.append((x - radius, y - radius, x + radius, y + radius))

    def place(self) -> Markup:
        """Every label that finds a free place, as SVG; the others are counted in `left_out`."""
        drawn = []
        for label in sorted(self.wanted, key=lambda label: (label.rank, label.y, label.x, label.lines)):
            found = self._find(label, self.taken + self.lines) or self._find(label, self.taken)
            if found is None:
                self.left_out += 1
            else:
                drawn.append(found)
        return join(drawn)

    def _find(self, label: Label, occupied: list[Rect]) -> Markup | None:
        width = max(map(len, label.lines)) * FONT_PX * _CHARACTER_EM
        height = _LINE_PX * len(label.lines)
        for ring, distance in enumerate(_DISTANCES_PX):
            for side_x, side_y in _SIDES:
                reach = distance if side_x == 0 or side_y == 0 else 0.75 * distance
                left = label.x + side_x * reach - (0.5 - 0.5 * side_x) * width
                top = label.y + side_y * (reach + 0.5 * height) - 0.5 * height
                rect = (left - 3.0, top - 1.0, left + width + 3.0, top + height + 1.0)
                if self._free(rect, occupied):
                    self.taken.append(rect)
                    return _drawn(label, left, top, width, side_x, leader=ring > 0)
        return None

    def _free(self, rect: Rect, occupied: list[Rect]) -> bool:
        if rect[0] < 2.0 or rect[1] < 2.0 or rect[2] > self.width - 2.0 or rect[3] > self.height - 2.0:
            return False
        return not any(_overlap(rect, other) for other in occupied)


def _drawn(label: Label, left: float, top: float, width: float, side_x: int, *, leader: bool) -> Markup:
    """A label's text, anchored on the side of its point, so that a wider face grows away from it."""
    x = left if side_x > 0 else left + width if side_x < 0 else left + 0.5 * width
    anchor = {1: "start", -1: "end", 0: "middle"}[side_x]
    lines = join(
        element("tspan", line, x=x, y=top + FONT_PX - 1.0 + n * _LINE_PX) for n, line in enumerate(label.lines)
    )
    words = element("text", lines, class_=f"label {label.style}", text_anchor=anchor)
    if not leader:
        return words
    middle = top + 0.5 * _LINE_PX * len(label.lines)
    end = x - 3.0 * side_x, middle if side_x else (top if top > label.y else top + _LINE_PX * len(label.lines))
    line = element("line", x1=label.x, y1=label.y, x2=float(end[0]), y2=float(end[1]), class_="leader")
    return join([line, words])

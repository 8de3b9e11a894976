"""A slow, obvious twin of `ais.admission`, for ships that each lie at one place and are heard as one hull."""

from ais.admission import APART_US, BETWEEN_US, BRIEF_US, CALM_US, FREE_SHARE, KEEP_US, WAYS
from ais.hulls import CONFIRMED
from ais.status import DUPLICATE, NOT_ADMITTED, OK
from ais.tracks import COPY_WINDOW_US


class NaiveAdmission:
    """Who gets a place among `bound`, row by row."""

    def __init__(self, bound, watched=()):
        self.bound, self.watched = bound, set(watched)
        self.vessels = {}  # MMSI: time of the last fix, number of fixes
        size = 1
        while size < bound:
            size *= 2
        self.doors = [[None] * WAYS for _ in range(max(1, size // WAYS))]  # of MMSI, time, number
        self.pressed = self.tried = None
        self.gone = 0

    def row(self, t, mmsi):
        """The status of a row."""
        if mmsi in self.vessels:
            last, n = self.vessels[mmsi]
            if t - last < COPY_WINDOW_US:
                return DUPLICATE
            self.vessels[mmsi] = t, n + 1
            return OK
        if not self.may_enter(t, mmsi):
            return NOT_ADMITTED
        self.vessels[mmsi] = t, 1
        return OK

    def has_room(self, mmsi):
        most = self.bound if mmsi in self.watched else self.bound - len(self.watched)
        return len(self.vessels) < most

    def may_enter(self, t, mmsi):
        if self.pressed is not None and t - self.pressed >= CALM_US:
            self.pressed = None
        if self.has_room(mmsi) and self.pressed is None:
            return True
        if not self.has_room(mmsi):
            self.pressed = t
        enough = self.knock(t, mmsi)
        if not enough and mmsi not in self.watched:
            return False
        if not self.has_room(mmsi) and (self.tried is None or t - self.tried >= BETWEEN_US):
            self.tried = t
            self.let_go(t)
        if self.has_room(mmsi):
            door = self.door(mmsi)
            door[:] = [None if one and one["mmsi"] == mmsi else one for one in door]
        return self.has_room(mmsi)

    def door(self, mmsi):
        return self.doors[(mmsi * 0x9E3779B1 >> 8) % len(self.doors)]

    def knock(self, t, mmsi):
        door = self.door(mmsi)
        own = [one for one in door if one and one["mmsi"] == mmsi]
        if own and t - own[0]["t"] < CALM_US:
            if t - own[0]["t"] >= APART_US:
                own[0]["t"], own[0]["n"] = t, min(CONFIRMED, own[0]["n"] + 1)
            return own[0]["n"] >= CONFIRMED
        if own:
            own[0]["t"], own[0]["n"] = t, 1
            return False
        chance = (t // APART_US * 0x9E3779B1 + mmsi * 0x85EBCA6B) // 65_536 % WAYS
        in_turn = [(chance + k) % WAYS for k in range(WAYS)]
        free = [place for place in in_turn if door[place] is None]
        weak = [
            place for place in in_turn if door[place] and (door[place]["n"] < 2 or t - door[place]["t"] >= BRIEF_US)
        ]
        place = [*free, *weak, *in_turn][0]
        if door[place] and t - door[place]["t"] < CALM_US:
            self.pressed = t
        door[place] = {"mmsi": mmsi, "t": t, "n": 1}
        return False

    def let_go(self, now):
        most = self.bound - len(self.watched)
        wanted = len(self.vessels) - (most - most // FREE_SHARE)
        may_go = []
        for mmsi, (last, n) in self.vessels.items():
            few = n < CONFIRMED
            if mmsi not in self.watched and now - last >= (BRIEF_US if few else KEEP_US):
                may_go.append((not few, last, mmsi))
        for _, _, mmsi in sorted(may_go)[: max(0, wanted)]:
            del self.vessels[mmsi]
            self.gone += 1

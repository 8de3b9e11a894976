"""One message with named fields: `m.lat`, `m["lat"]`, `m.raw("lat")`, `m.unit("lat")`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ais.bitfield import Layout
from ais.fields import decoder_of, layout_of, radio_state, raw_field
from ais.status import OK, STATUS
from geo.errors import UsageError


class Message:
    """A message and what is known of its reception.

    The fields are decoded when the first of them is asked for, by the table of the message's layout: degrees, knots,
    metres; None for what is not available, has no meaning or is not covered by the bits.

    Attributes
    ----------
    layout : the table of the message; `layout.name` says which message it is
    payload, n_bits : the bits as a number, the first the highest, and how many there are
    t : time of reception in µs since 1970 UTC, None unknown
    offset : byte offset of the (first) sentence in its source
    channel, station, talker : texts, empty where unknown
    status : code of `ais.status`: 0, or why the message is doubtful

    Examples
    --------
    >>> from ais.fields import encode_fields
    >>> m = Message(*encode_fields({"msg_type": 1, "mmsi": 671999101, "lat": 35.2, "lon": 129.4, "sog": 9.0}))
    >>> m.lat, m["sog"], m.heading, m.raw("heading"), m.unit("sog")
    (35.2, 9.0, None, 511, 'kn')
    """

    __slots__ = ("_fields", "channel", "layout", "n_bits", "offset", "payload", "station", "status", "t", "talker")

    def __init__(
        self,
        payload: int,
        n_bits: int,
        *,
        t: int | None = None,
        offset: int = 0,
        channel: str = "",
        station: str = "",
        talker: str = "",
        status: int = OK,
    ) -> None:
        self.payload = payload
        self.n_bits = n_bits
        self.t = t
        self.offset = offset
        self.channel = channel
        self.station = station
        self.talker = talker
        self.status = status
        self.layout: Layout = layout_of(payload, n_bits)
        self._fields: dict[str, Any] | None = None

    def asdict(self) -> dict[str, Any]:
        """Value of each field by its name, in the order of the bits."""
        if self._fields is None:
            self._fields = decoder_of(self.layout)(self.payload, self.n_bits)
        return self._fields

    def __getattr__(self, name: str) -> Any:
        # called only for names that are not attributes of the object
        try:
            return self.asdict()[name]
        except KeyError:
            raise AttributeError(self._no_field(name)) from None

    def __getitem__(self, name: str) -> Any:
        try:
            return self.asdict()[name]
        except KeyError:
            raise UsageError(self._no_field(name)) from None

    def _no_field(self, name: str) -> str:
        return f"message of type {self.asdict()['msg_type']} has no field {name!r}; there are {', '.join(self)}"

    def __iter__(self) -> Iterator[str]:
        return iter(self.layout.names)

    def __contains__(self, name: object) -> bool:
        return name in self.asdict()

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.layout.names})

    def __eq__(self, other: object) -> bool:
        """Whether both are the same bits; time and place of reception do not count."""
        if not isinstance(other, Message):
            return NotImplemented
        return (self.n_bits, self.payload) == (other.n_bits, other.payload)

    def __hash__(self) -> int:
        return hash((self.n_bits, self.payload))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (
            self.payload, self.n_bits, self.t, self.offset, self.channel, self.station, self.talker, self.status,
        )  # fmt: skip

    def raw(self, name: str) -> int | str | bytes | None:
        """A field as sent: the number before scaling, or a text with all that follows its first `@`.

        Raises UsageError for a field that there is not; None where the bits do not cover it.
        """
        if name not in self:
            raise UsageError(self._no_field(name))
        return raw_field(self.layout, name, self.payload, self.n_bits)

    def unit(self, name: str) -> str:
        """The unit of a field's value, empty for codes, texts and counts. Raises UsageError for an unknown field."""
        if name not in self:
            raise UsageError(self._no_field(name))
        return self.layout.field(name).unit

    def radio_state(self) -> dict[str, Any] | None:
        """What `radio` says: synchronisation, time-out and slots; None in a message without a communication state."""
        fields = self.asdict()
        return radio_state(fields["msg_type"], fields)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.asdict().items() if value is not None)
        doubt = f"; {STATUS[self.status]}" if self.status != OK else ""
        return f"<Message {self.layout.name}: {shown}{doubt}>"


def _rebuilt(
    payload: int, n_bits: int, t: int | None, offset: int, channel: str, station: str, talker: str, status: int
) -> Message:
    """A message out of a pickle."""
    return Message(payload, n_bits, t=t, offset=offset, channel=channel, station=station, talker=talker, status=status)

"""Changes to NATS: each batch by a connection of its own, which ends when the server has them all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from geo.errors import UsageError
from luxwake.daemon.config import NatsSink
from luxwake.daemon.sink import Change, NotNow, Refused, Sink
from luxwake.daemon.sinks.libraries import needs
from luxwake.daemon.sinks.topics import check_topic, topic_of

DEADLINE_S = 10.0
_TOO_LARGE = 10054
"""JetStream's error code for a message that is longer than the stream takes."""


class Nats(Sink):
    """Subjects of NATS.

    A stream of JetStream that takes a subject must acknowledge; it knows copies by `Nats-Msg-Id`: the sink, for several
    may send to one stream, the event and its revision. Without one, the server must have taken the message; whether
    anybody listened is not known.
    """

    def __init__(self, config: NatsSink) -> None:
        place = f"sinks.{config.name}"
        needs("nats", "nats-py", "nats", place)
        try:
            parts = urlsplit(config.url)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            raise UsageError(f"{place}.url is not one of NATS; write nats://host:4222 or tls://host:4222")
        check_topic(config.subject, "*> \t", f"{place}.subject")
        self._name, self._url, self._host, self._subject = config.name, config.url, parts.hostname, config.subject
        self._taken = 0
        """How many of a batch, from the first on, have been acknowledged."""

    def send(self, changes: Sequence[Change]) -> str:
        """Publish a message for each, its `body`."""
        self._taken = 0
        try:
            asyncio.run(asyncio.wait_for(self._publish(changes), DEADLINE_S))
        except TimeoutError:
            raise NotNow(f"{self._host}: no answer within {DEADLINE_S:g} s", taken=self._taken) from None
        return ""

    async def _publish(self, changes: Sequence[Change]) -> None:
        import nats
        from nats.errors import Error, MaxPayloadError
        from nats.js.errors import APIError

        async def ignore(error: Exception) -> None:
            """What matters is raised where it happens."""

        try:
            client = await nats.connect(self._url, allow_reconnect=False, connect_timeout=5, error_cb=ignore)
        except (OSError, Error, ValueError) as error:
            raise NotNow(f"{self._host}: {error or type(error).__name__}") from None
        try:
            streams = dict[str, str | None]()
            for n, change in enumerate(changes):
                subject = topic_of(self._subject, change)
                if subject not in streams:
                    streams[subject] = await _stream_of(client, subject)
                try:
                    await self._publish_one(client, streams[subject], subject, change)
                except (MaxPayloadError, APIError) as error:
                    if isinstance(error, APIError) and error.err_code != _TOO_LARGE:
                        raise
                    await client.flush(5)
                    raise Refused(f"{self._host}: {error}, of change {change.seq}", taken=n) from None
                if streams[subject] is not None and self._taken == n:
                    self._taken = n + 1
            await client.flush(5)
        except (OSError, Error) as error:
            raise NotNow(f"{self._host}: {error or type(error).__name__}", taken=self._taken) from None
        finally:
            await client.close()

    async def _publish_one(self, client: Any, stream: str | None, subject: str, change: Change) -> None:
        headers = {"Nats-Msg-Id": f"{self._name}-{change.event_id}-{change.revision}"}
        if stream is None:
            await client.publish(subject, change.body.encode(), headers=headers)
        else:
            await client.jetstream().publish(subject, change.body.encode(), timeout=5, stream=stream, headers=headers)


async def _stream_of(client: Any, subject: str) -> str | None:
    """The stream that takes a subject; None where there is none, or no JetStream."""
    from nats.errors import NoRespondersError
    from nats.js.errors import NotFoundError, ServiceUnavailableError

    try:
        return str(await client.jetstream().find_stream_name_by_subject(subject))
    except (NotFoundError, ServiceUnavailableError, NoRespondersError):
        return None

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


class Nats(Sink):
    """Subjects of NATS.

    A stream of JetStream that takes a subject must acknowledge; it knows copies by `Nats-Msg-Id`, the event and its
    revision. Without one, the server must have taken the message; whether anybody listened is not known.
    """

    def __init__(self, config: NatsSink) -> None:
        place = f"sinks.{config.name}"
        needs("nats", "nats-py", "nats", place)
        parts = urlsplit(config.url)
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            raise UsageError(f"{place}.url is not one of NATS; write nats://host:4222 or tls://host:4222")
        check_topic(config.subject, "*> \t", f"{place}.subject")
        self._url, self._host, self._subject = config.url, parts.hostname, config.subject

    def send(self, changes: Sequence[Change]) -> str:
        """Publish a message for each, its `body`."""
        try:
            asyncio.run(asyncio.wait_for(self._publish(changes), DEADLINE_S))
        except TimeoutError:
            raise NotNow(f"{self._host}: no answer within {DEADLINE_S:g} s") from None
        return ""

    async def _publish(self, changes: Sequence[Change]) -> None:
        import nats
        from nats.errors import Error, MaxPayloadError

        async def ignore(error: Exception) -> None:
            """What matters is raised where it happens."""

        try:
            client = await nats.connect(self._url, allow_reconnect=False, connect_timeout=5, error_cb=ignore)
        except (OSError, Error, ValueError) as error:
            raise NotNow(f"{self._host}: {error or type(error).__name__}") from None
        try:
            subjects = [topic_of(self._subject, change) for change in changes]
            streams = {subject: await _stream_of(client, subject) for subject in dict.fromkeys(subjects)}
            for n, (subject, change) in enumerate(zip(subjects, changes, strict=True)):
                try:
                    await _publish_one(client, streams[subject], subject, change)
                except MaxPayloadError as error:
                    if n:
                        raise NotNow(f"{self._host}: {error}, of change {change.seq}") from None
                    raise Refused(f"{self._host}: {error}") from None
            await client.flush(5)
        except (OSError, Error) as error:
            raise NotNow(f"{self._host}: {error or type(error).__name__}") from None
        finally:
            await client.close()


async def _stream_of(client: Any, subject: str) -> str | None:
    """The stream that takes a subject; None where there is none, or no JetStream."""
    from nats.errors import NoRespondersError
    from nats.js.errors import NotFoundError, ServiceUnavailableError

    try:
        return str(await client.jetstream().find_stream_name_by_subject(subject))
    except (NotFoundError, ServiceUnavailableError, NoRespondersError):
        return None


async def _publish_one(client: Any, stream: str | None, subject: str, change: Change) -> None:
    headers = {"Nats-Msg-Id": f"{change.event_id}-{change.revision}"}
    if stream is None:
        await client.publish(subject, change.body.encode(), headers=headers)
    else:
        await client.jetstream().publish(subject, change.body.encode(), timeout=5, stream=stream, headers=headers)

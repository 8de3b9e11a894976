"""A stream of NATS JetStream, by a durable consumer."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Coroutine
from typing import Any

from luxwake.daemon.config import NatsSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources.connection import CONNECT_S, LOOK_S, Connecting, Lost, reach
from luxwake.daemon.sources.messages import Unkept, as_lines, url_of

BATCH = 1000
ACK_WAIT_S = 60.0
"""After so long without an acknowledgement the server sends a message again."""
MAX_UNACKNOWLEDGED = 50_000


class NatsMessages(Connecting):
    """Fetches batches; a message is acknowledged once the journal has it.

    The cursor is the time at which the stream was made and the number of the last message. With each connection the
    consumer is made anew after that number, so messages come in order and none comes twice. A consumer that was made
    by others (`durable`), and one of a stream that keeps only what a consumer waits for (interest), is left as it is:
    what was not acknowledged before a kill comes again after its `ack_wait`, out of order, and may come twice.
    """

    can_resume = True

    def __init__(self, config: NatsSource, intake: Intake) -> None:
        super().__init__(config.name, intake, config.watchdog_s)
        self._config = config
        self._url = url_of(config.url, config.name, ("nats", "tls"))
        self._durable = config.durable or re.sub(r"[^A-Za-z0-9_-]", "_", f"luxwake-{config.name}")
        self._is_json = config.format == "json"
        self._is_ours = not config.durable
        self._made, self._last, self._safe = "", 0, 0
        self._unkept = Unkept[Any]()

    def begin(self, cursor: str) -> None:
        """Go on after the message of this cursor."""
        if found := re.fullmatch(r"([^/]+)/(\d{1,20})/[^/]+", cursor):
            self._made, self._last, self._safe = found[1], int(found[2]), int(found[2])

    def on_kept(self, cursor: str) -> None:
        """What the journal has is acknowledged by the thread of the source."""
        made, number, chunk = cursor.split("/")
        if made == self._made:
            self._safe = max(self._safe, int(number))
        self._unkept.kept(chunk)

    def hear(self) -> None:
        """One connection, in a loop of its own."""
        reach(self._url.hostname or "", self._url.port or 4222, self.stop)
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self._until_stop(self._fetch()))
        except asyncio.CancelledError:
            return
        finally:
            loop.run_until_complete(_cancel_the_rest())
            loop.close()

    async def _until_stop(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this work until it is done, or cancel it at a stop."""
        task = asyncio.ensure_future(work)
        while not task.done():
            if self.stop.is_set():
                task.cancel()
            await asyncio.wait([task], timeout=LOOK_S / 2)
        await task

    async def _fetch(self) -> None:
        import nats
        from nats.errors import Error

        try:
            client = await nats.connect(
                self._url.geturl(), name=self._durable, allow_reconnect=False, max_reconnect_attempts=1,
                error_cb=_ignore, connect_timeout=int(CONNECT_S),
            )  # fmt: skip
        except (Error, TypeError) as error:
            raise Lost(f"{type(error).__name__}: {error}") from None
        try:
            subscription = await self._subscribe(client.jetstream())
            self.note_connected(
                f"connected to {self._url.hostname}, stream {self._config.stream}, consumer {self._durable}"
            )
            while client.is_connected:
                await self._round(subscription)
                self.watch()
        except Error as error:
            raise Lost(f"{type(error).__name__}: {error}") from None
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.close(), LOOK_S)

    async def _subscribe(self, stream: Any) -> Any:
        """Make the consumer, and bind to it."""
        from nats.js.api import ConsumerConfig, DeliverPolicy, RetentionPolicy
        from nats.js.errors import NotFoundError

        name = self._config.stream
        about = await stream.stream_info(name)
        self._unkept.forget()
        if str(about.created) != self._made:  # another stream of this name has numbers of its own
            self._made, self._last, self._safe = str(about.created), 0, 0
        consumer = ConsumerConfig(ack_wait=ACK_WAIT_S, max_ack_pending=MAX_UNACKNOWLEDGED)
        self._is_ours = not self._config.durable and about.config.retention != RetentionPolicy.INTEREST
        if self._is_ours:
            with contextlib.suppress(NotFoundError):
                await stream.delete_consumer(name, self._durable)
            if self._last and about.config.retention == RetentionPolicy.LIMITS:
                consumer.deliver_policy, consumer.opt_start_seq = DeliverPolicy.BY_START_SEQUENCE, self._last + 1
        return await stream.pull_subscribe(self._config.subject, durable=self._durable, stream=name, config=consumer)

    async def _round(self, subscription: Any) -> None:
        """Fetch what there is, put it as one chunk, and acknowledge what is kept."""
        from nats.errors import TimeoutError as NothingCame

        messages: list[Any] = []
        with contextlib.suppress(NothingCame, asyncio.TimeoutError):
            messages = await subscription.fetch(BATCH, timeout=LOOK_S / (10 if self._unkept.waits else 1))
        new = []
        for message in messages:
            number = message.metadata.sequence.stream
            if not self._is_ours or number > self._last:
                new.append(message)
                self._last = max(self._last, number)
            elif number <= self._safe:  # its acknowledgement was lost with a connection
                await message.ack()
        if new:
            data = b"".join(as_lines(message.data, self._is_json) for message in new)
            cursor = f"{self._made}/{self._last}/{self._unkept.add(new)}"
            await asyncio.get_running_loop().run_in_executor(None, self.intake.put, data, cursor, len(new))
        for message in self._unkept.ready():
            await message.ack()


async def _ignore(_: Exception) -> None:
    """What matters is raised by the calls."""


async def _cancel_the_rest() -> None:
    """End what the client has left running."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)

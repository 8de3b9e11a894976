"""The outbox: what a sink has is not sent again, and one change that it refuses holds up no other."""

import pytest

from luxwake.daemon.sink import NotNow, Refused, Sink
from tests.sinks_case import dispatched


class Picky(Sink):
    """Takes one after the other, refuses some for good, and is interrupted after every `at_once`."""

    def __init__(self, never, at_once):
        self.never, self.at_once, self.seen = never, at_once, []

    def send(self, changes):
        for taken, change in enumerate(changes):
            if taken == self.at_once:
                raise NotNow("away", taken=taken)
            if change.seq in self.never:
                raise Refused(f"not {change.seq}", taken=taken)
            self.seen.append(change.seq)
        return ""


@pytest.mark.parametrize("never", [{1}, {3}, {5}, {2, 3}, {1, 2, 3, 4, 5}])
def test_what_is_refused_in_the_middle_of_a_batch_is_a_dead_letter_and_all_others_are_sent_once(tmp_path, never):
    sink = Picky(never, 100)
    with dispatched(tmp_path, sink, 5) as (store, dispatcher, wait_until):
        wait_until(lambda: store.waiting("sink") == 0)
        assert sink.seen == sorted({1, 2, 3, 4, 5} - never)
        assert store.dead_letters("sink") == len(never) and store.sent_by("sink") == 5 - len(never)
        assert dispatcher.failures == 0


def test_a_sink_that_is_interrupted_after_a_part_of_each_batch_gets_on(tmp_path):
    sink = Picky(set(), 3)
    with dispatched(tmp_path, sink, 8) as (store, dispatcher, wait_until):
        wait_until(lambda: store.waiting("sink") == 0)
        assert sink.seen == list(range(1, 9)) and dispatcher.failures == 2

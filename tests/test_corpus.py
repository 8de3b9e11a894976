"""Feeds that broke a decoder or might: however they are cut, the messages are the same and nothing is lost in silence.

`tests/corpus` holds small inputs, made up or mutated, which the fuzzer (`make fuzz`) begins with; what it finds is kept
there. Hypothesis makes more of the same kinds.
"""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.decode import MAX_LINE_BYTES, Decoder
from tests.fuzz.damage import MMSI, damaged, message, payload, sentence, summed, with_our_mmsi
from tests.fuzz.strategies import damaged_feeds
from tests.same_feed import Guarded, check, expect_same, fed, options

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.fixture(scope="module")
def guarded():
    return Guarded(1 << 20)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_kept_feed_gives_the_same_however_it_is_cut(path, guarded):
    for k, option in enumerate(options()):
        check(path.read_bytes(), guarded, every_byte=k == 0, **option)


def test_the_corpus_is_small_and_names_no_ship():
    assert len(CORPUS) >= 20 and sum(path.stat().st_size for path in CORPUS) < 100_000
    for path in CORPUS:
        decoder = Decoder()
        for made in (decoder.feed(path.read_bytes()), decoder.flush()):
            tables = made if isinstance(made, tuple) else (made.fixes(), made.static())
            for table in tables:
                assert all(MMSI <= mmsi < MMSI + 1000 for mmsi in table["mmsi"].tolist()), path.name


@settings(max_examples=60)
@given(damaged_feeds(), st.sampled_from(options()))
def test_a_damaged_feed_gives_the_same_however_it_is_cut(guarded, data, option):
    check(data, guarded, every_byte=len(data) < 100, **option)


@settings(max_examples=100)
@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([*b"\n\r!$\\*,"]).map(lambda c: bytes([c])))))
def test_bytes_give_the_same_however_they_are_cut(guarded, pieces):
    check(b"".join(pieces), guarded, every_byte=False)


@pytest.mark.parametrize("filler", [b"x", b"!", b"\\"])
@pytest.mark.parametrize("more", [-60, -1, 0, 1, 40, MAX_LINE_BYTES, 2 * MAX_LINE_BYTES + 5])
def test_an_endless_line_is_cut_at_the_same_place_however_it_comes(guarded, filler, more):
    good = sentence(*payload(Random(1), 1))
    data = good + b"\n" + filler * (MAX_LINE_BYTES + more) + good + b"\r\n" + good + b"\n"
    whole = fed(data)
    for cuts in ([MAX_LINE_BYTES], [MAX_LINE_BYTES + 1, MAX_LINE_BYTES + 60], range(1000, len(data), 1000)):
        expect_same(f"cut at {cuts}", data, whole, fed(data, cuts))
    expect_same("whole lines", data, whole, guarded.decoded(data, bytes(64)))


def test_what_the_fuzzer_is_made_of_is_sound():
    """Made-up sentences that nobody has damaged are decoded; their checksums computed anew stay."""
    random = Random(7)
    lines = [line for kind in range(1, 28) for line in message(random, kind)]
    data = b"\n".join(lines) + b"\n"
    decoder = Decoder()
    decoder.feed(data)
    decoder.flush()
    assert decoder.sentences == len(lines) and decoder.types == dict.fromkeys(range(1, 28), 1)
    assert summed(data) == data == with_our_mmsi(data)
    assert damaged(data, 5) == damaged(data, 5) != damaged(data, 6)

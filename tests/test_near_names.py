"""Names nearly the same out of many: what counting pairs of letters finds is what comparing with all finds."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import process
from rapidfuzz.distance import OSA

from cargo.near_names import NearNames

NAMES = st.lists(st.text("ABC", min_size=1, max_size=12), min_size=70, max_size=120, unique=True)


def near_by_all(names: list[str], name: str, cutoff: float) -> list[str]:
    found = process.extract(name, names, scorer=OSA.normalized_similarity, score_cutoff=cutoff, limit=20)
    return [one for one, _, _ in found]


@settings(deadline=None, max_examples=150)
@given(NAMES, st.text("ABC", min_size=1, max_size=14), st.sampled_from([0.6, 0.8, 0.9]))
def test_any_name_finds_what_comparing_with_all_finds(names, name, cutoff):
    assert NearNames(names, cutoff).near(name, 20) == near_by_all(names, name, cutoff)


def test_every_single_slip_in_a_long_name_is_found_among_thousands():
    rng = random.Random(3)
    names = ["".join(rng.choices("ABCDEFGHIKLMNORSTU", k=rng.randint(8, 30))) for _ in range(3_000)]
    index = NearNames(names, 0.8)
    for name in names[:60]:
        at = rng.randrange(len(name) - 1)
        slips = (name[:at] + name[at + 1 :], name[:at] + "X" + name[at:], name[:at] + "X" + name[at + 1 :],
                 name[:at] + name[at + 1] + name[at] + name[at + 2 :])  # fmt: skip
        assert all(name in index.near(slip, 20) for slip in slips)


def test_texts_that_are_no_latin_letters_and_single_letters_raise_nothing():
    names = ["A", "Ü", "ÜÜ", "漢字", *(f"N{n}" for n in range(80))]
    index = NearNames(names, 0.8)
    for name in ("A", "Ü", "漢字", "N1", "Z"):
        assert set(near_by_all(names, name, 0.8)) <= set(index.near(name, 20))

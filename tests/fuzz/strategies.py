"""Damaged feeds for hypothesis; fewer messages and fewer kinds of damage are the simpler ones."""

from hypothesis import strategies as st

from tests.fuzz.damage import damaged, feed

_SEEDS = st.integers(0, 2**32)


def damaged_feeds(messages: int = 4, times: int = 4) -> st.SearchStrategy[bytes]:
    """A feed of up to `messages` made-up messages of any type, damaged up to `times` times."""

    def made(seed: int, n: int, damages: list[int]) -> bytes:
        data = feed(seed, n)
        for one in damages:
            data = damaged(data, one)
        return data

    return st.builds(made, _SEEDS, st.integers(1, messages), st.lists(_SEEDS, max_size=times))

"""The score: bounds hold whatever the unknown turns out to be, and value alone never alarms."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cargo.score import FACTORS, Signal, factor, read_weights, score, sensitivity
from geo.errors import InputError, UsageError

VALUES = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 1.0]))


def signals(*values: float | None) -> list[Signal]:
    return [Signal(f"s{i}", value, "") for i, value in enumerate(values)]


@given(st.lists(VALUES, min_size=1, max_size=6))
def test_bounds_are_the_least_and_greatest_mean_of_any_outcome(values):
    """The slow twin: every way in which the unknown may turn out."""
    choices = [(0.0, 1.0) if value is None else (value,) for value in values]
    means = [sum(outcome) / len(outcome) for outcome in product(*choices)]
    whole = factor("route", signals(*values))
    assert whole.lower == pytest.approx(min(means)) and whole.upper == pytest.approx(max(means))
    assert whole.coverage == pytest.approx(sum(value is not None for value in values) / len(values))
    if whole.known is not None:
        assert whole.lower - 1e-12 <= whole.known <= whole.upper + 1e-12


@given(st.dictionaries(st.sampled_from(FACTORS), st.lists(VALUES, max_size=4)), st.integers(0, 4))
def test_learning_a_fact_only_narrows_the_bounds(known, place):
    before = score({name: signals(*values) for name, values in known.items()})
    name = FACTORS[place]
    values = list(known.get(name, []))
    for told in (0.0, 1.0):
        if None in values:
            filled = [*values]
            filled[values.index(None)] = told
            after = score({n: signals(*(filled if n == name else v)) for n, v in known.items()})
            assert before.lower <= after.lower + 1e-12 and after.upper <= before.upper + 1e-12


def test_worked_example_ranks_the_documented_case_above_the_one_about_which_nothing_is_known():
    """The example of the reference: a mean without bounds would put dark used cars beside the documented case."""
    documented = score({name: signals(1.0, 1.0, None, 0.5) for name in FACTORS})
    dark_only = score({"route": signals(1.0, None, None), "obfuscation": signals(1.0, None, None, None)})
    lawful = score({"value": signals(1.0, 1.0), **{name: signals(0.0, 0.0) for name in FACTORS[1:]}})
    assert dark_only.known == 1.0 > documented.known
    assert documented.lower > lawful.lower > dark_only.lower
    assert lawful.upper == lawful.lower == pytest.approx(0.2)


def test_nothing_known_is_everything_possible():
    nothing = score({})
    assert (nothing.lower, nothing.upper, nothing.known, nothing.coverage) == (0.0, 1.0, None, 0.0)


def test_weights_change_the_total_and_a_file_can_give_them(tmp_path):
    told = {"value": signals(1.0), "route": signals(0.0)}
    assert score(told, {"value": 3.0, "route": 1.0}).lower == 0.75
    path = tmp_path / "weights.toml"
    path.write_text("[factors]\nvalue = 3\nroute = 1\n")
    assert score(told, read_weights(path)).lower == 0.75
    assert set(read_weights()) == set(FACTORS)


@pytest.mark.parametrize("text", ["[factors", "x = 1\n", "[factors]\nvalue = 'a'\n", "[factors]\nprice = 1\n"])
def test_weights_that_cannot_be_meant_are_refused(tmp_path, text):
    path = tmp_path / "weights.toml"
    path.write_text(text)
    with pytest.raises((InputError, UsageError)) as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)


def test_sensitivity_counts_those_that_change_place():
    cases = {
        "a": score({"value": signals(1.0), "route": signals(0.0)}),
        "b": score({"value": signals(0.0), "route": signals(0.9)}),
    }
    rows = sensitivity(cases, read_weights())
    assert len(rows) == 2 * len(FACTORS)
    at = {(r["factor"], r["weight"]): (r["first"], r["moved"]) for r in rows}
    assert at["value", 0.5] == ("b", 2) and at["value", 1.5] == ("a", 0) and at["parties", 1.5] == ("a", 0)

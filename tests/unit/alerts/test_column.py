"""Sets of a column's rules, as bits: the same however many there are, and never rules times rules."""

from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.column import each, set_of

places = st.sets(st.integers(0, 5_000), max_size=60)


@given(places)
def test_a_set_gives_its_places_again_in_order(wanted: set[int]) -> None:
    found = set_of(list(wanted))
    assert each(found) == sorted(wanted)
    assert found == sum(1 << place for place in wanted)


@given(places, places)
def test_sets_are_cut_and_joined_as_sets(one: set[int], other: set[int]) -> None:
    assert each(set_of(list(one)) & set_of(list(other))) == sorted(one & other)
    assert each(set_of(list(one)) | set_of(list(other))) == sorted(one | other)

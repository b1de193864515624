from hypothesis import given, settings
from hypothesis import strategies as st

from textapps.exporting.state import flatten_state, unflatten_state

NAMES = st.sampled_from(["h", "c", "key", "value_cache", "_", "2"])
LEAVES = st.dictionaries(NAMES, st.integers(), min_size=1, max_size=3)


@settings(deadline=None)
@given(st.lists(LEAVES, max_size=12), st.randoms())
def test_flattening_is_undone_in_any_order(blocks, random):
    state = tuple(blocks)
    items = [*flatten_state(state).items(), ("ids", 0)]
    random.shuffle(items)  # a served request has no order
    assert unflatten_state(dict(items)) == state


def test_names_stand_in_the_order_of_the_blocks():
    state = tuple({"h": block} for block in range(11))
    assert list(flatten_state(state)) == [f"state_{block}_h" for block in range(11)]

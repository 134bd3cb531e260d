from hypothesis import given
from hypothesis import strategies as st

from streamproc.core.durations import BOUNDS, Durations


@given(st.lists(st.floats(0, 1000)))
def test_each_is_counted_in_every_bucket_that_it_fits(seconds: list[float]) -> None:
    durations = Durations()
    for one in seconds:
        durations.observe(one)
    assert durations.buckets() == [(bound, sum(one <= bound for one in seconds)) for bound in (*BOUNDS, float("inf"))]
    assert durations.total == sum(seconds)

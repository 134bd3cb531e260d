import numpy as np
import pytest

from streamproc.trainer.baselines import UNKNOWN, baselines

CUT, HORIZON = 500, 60.0


def days() -> list[list[int]]:
    """Regulars who go on, and as many whose last purchase is long ago."""
    regulars = [list(range(100 + n % 20, CUT, 20)) for n in range(40)]
    return regulars + [list(range(100 + n % 20, 300, 20)) for n in range(40)]


def test_recency_ranks_by_silence_and_ends_at_one() -> None:
    risks = baselines([[CUT - 1], [CUT - 31], [CUT - 400]], CUT, HORIZON).recency
    assert risks.tolist() == [0.0, 0.5, 1.0]


def test_the_base_rate_is_that_of_one_horizon_earlier() -> None:
    stopped = CUT - 70
    some = [[stopped], [stopped], [stopped], [stopped, CUT - 5]]
    assert baselines(some, CUT, HORIZON).base_rate.tolist() == [0.75] * 4


def test_before_anybody_was_watched_the_base_rate_is_unknown() -> None:
    assert baselines([[CUT - 5]], CUT, HORIZON).base_rate.tolist() == [UNKNOWN]


def test_bg_nbd_tells_the_gone_from_the_regular() -> None:
    risks = baselines(days(), CUT, HORIZON).bg_nbd
    assert risks[:40].max() < 0.3
    assert risks[40:].min() > 0.7
    assert ((risks > 0) & (risks < 1)).all()


def test_nothing_after_the_cut_may_be_known() -> None:
    late: list[list[list[int]]] = [[[CUT]], [[]]]
    for some in late:
        with pytest.raises(ValueError, match="before the cut"):
            baselines(some, CUT, HORIZON)


def test_a_customers_risks_do_not_depend_on_their_place() -> None:
    told, turned = baselines(days(), CUT, HORIZON), baselines(days()[::-1], CUT, HORIZON)
    assert np.allclose(told.bg_nbd, turned.bg_nbd[::-1])

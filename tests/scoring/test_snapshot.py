import json
from math import inf, nan

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streamproc.scoring.buying import Buying
from streamproc.scoring.layout import TERM_NAMES
from streamproc.scoring.snapshot import (
    EVERYBODY,
    FORMAT,
    Population,
    Snapshot,
    SnapshotTooNewError,
    default_snapshot,
    is_finite,
    read_snapshot,
    sample_bound,
    sealed,
)
from tests.scoring.made import busy_snapshot


def test_day_zero_has_a_score_of_the_prior_for_everybody() -> None:
    snapshot = default_snapshot()
    assert snapshot.speaks == "prior"
    assert snapshot.prior == Buying(0.8, 1.0, 0.8, 3.0)
    assert snapshot.sample_below == EVERYBODY
    assert is_finite(snapshot)


def test_a_snapshot_survives_json() -> None:
    snapshot = busy_snapshot()
    data = msgspec.json.encode(snapshot)
    assert msgspec.json.decode(data, type=Snapshot) == snapshot
    assert json.loads(data)["format"] == 1


def test_the_id_is_a_hash_of_the_content() -> None:
    snapshot = busy_snapshot()
    assert sealed(snapshot).id == snapshot.id
    assert sealed(replace(snapshot, id="else")).id == snapshot.id
    assert sealed(replace(snapshot, delta=0.1)).id != snapshot.id
    assert len(snapshot.id) == 16


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_a_number_that_is_none_is_found(number: float) -> None:
    snapshot = busy_snapshot()
    weights = (number, *snapshot.weights[1:])
    assert is_finite(snapshot)
    assert not is_finite(replace(snapshot, w0=number))
    assert not is_finite(replace(snapshot, weights=weights))
    assert not is_finite(replace(snapshot, means=weights))
    assert not is_finite(replace(snapshot, prior=replace(snapshot.prior, r=number)))
    assert not is_finite(replace(snapshot, population=Population(log_amount=number)))


def test_parameters_must_be_positive() -> None:
    assert not is_finite(replace(default_snapshot(), rhythm=Buying(alpha=0.0)))
    assert not is_finite(replace(default_snapshot(), population=Population(log_gap_spread=-1.0)))


def test_every_term_needs_a_weight() -> None:
    assert not is_finite(replace(default_snapshot(), weights=(0.0,) * (len(TERM_NAMES) - 1)))


def test_a_snapshot_with_other_terms_is_read_by_their_names() -> None:
    full = sealed(msgspec.structs.replace(default_snapshot(), weights=tuple(float(i) for i in range(len(TERM_NAMES)))))
    older = msgspec.structs.replace(
        full,
        terms=("gone", *TERM_NAMES[2:], TERM_NAMES[0]),
        means=(9.0, *full.means[2:], full.means[0]),
        weights=(9.0, *full.weights[2:], full.weights[0]),
    )
    read = read_snapshot(msgspec.json.encode(older))
    assert read.terms == TERM_NAMES
    assert read.weights == (full.weights[0], 0.0, *full.weights[2:])
    assert is_finite(read)


def test_a_newer_snapshot_is_refused_with_what_to_do() -> None:
    newer = msgspec.json.encode(msgspec.structs.replace(default_snapshot(), format=FORMAT + 1))
    with pytest.raises(SnapshotTooNewError, match="upgrade"):
        read_snapshot(newer)


@given(st.integers(0, EVERYBODY))
def test_every_json_reader_sees_the_same_bound_of_the_sample(below: int) -> None:
    told = sample_bound(below)
    read = json.loads(msgspec.json.encode(replace(default_snapshot(), sample_below=told)), parse_int=float)
    assert int(read["sample_below"]) == told
    assert 0 <= told - below < 1024
    assert told <= EVERYBODY

"""The playbook: segment row × cause line × ties; the file of the program's, and what is said of a broken one."""

import re
from collections.abc import Sequence

import msgspec
import pytest

from streamproc.core.causes import CAUSES, Cause, CauseName, Clue
from streamproc.core.events import RECOVERY_STEPS
from streamproc.core.playbook import UNKNOWN, Do, digest, steps_for
from streamproc.core.time import HOUR
from streamproc.core.value import Segment
from streamproc.desk.playbook import PlaybookError, read_playbook
from streamproc.testing.events import on
from tests.ground.source import PACKAGE

TEXT = (PACKAGE / "desk" / "playbook.toml").read_text(encoding="utf-8")
OURS = read_playbook(TEXT)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def cause(name: CauseName, strength: float = 0.8, stream: str = "facts") -> Cause:
    return Cause(cause=name, strength=strength, clues=(Clue("complaint", stream, "e", on(0), 0.5),))


def origins(done: Sequence[Do]) -> list[str]:
    return list(dict.fromkeys(do.origin for do in done))


@pytest.mark.parametrize("segment", [*Segment, None])
@pytest.mark.parametrize("name", [*CAUSES, None])
def test_every_segment_and_cause_has_its_steps(segment: Segment | None, name: CauseName | None) -> None:
    causes = [] if name is None else [cause(name)]
    done = steps_for(OURS, segment, causes, on(1))
    assert origins(done)[:1] == [f"segment.{segment or UNKNOWN}"]
    assert f"cause.{name or UNKNOWN}" in origins(done)
    assert all(on(1) < do.due <= on(1) + 30 * 24 * HOUR for do in done)
    assert all(CHINESE.search(do.step.zh) and CHINESE.search(do.role.zh) for do in done)
    assert not any(CHINESE.search(do.step.en) for do in done)


def test_the_most_valuable_are_called_within_hours_by_a_senior() -> None:
    first = steps_for(OURS, Segment.LARGE_PREMIUM, [], on(1))[0]
    assert (first.step.role, first.due) == ("senior", on(1, 4))


@pytest.mark.parametrize(
    ("segment", "ties"),
    [
        (Segment.LARGE_PREMIUM, {"financial", "social", "structural"}),
        (Segment.SMALL_PREMIUM, {"financial", "social"}),
        (Segment.SMALL_ORDINARY, {"financial"}),
        (Segment.BLEEDING, set()),
    ],
)
def test_only_the_ties_a_segment_is_worth_are_offered(segment: Segment, ties: set[str]) -> None:
    offered = {do.step.tie for name in CAUSES for do in steps_for(OURS, segment, [cause(name)], on(1))}
    assert offered - {None} == ties


def test_the_seven_steps_belong_to_what_was_complained_of_and_to_poor_service() -> None:
    def recovery(*causes: Cause, segment: Segment = Segment.AVERAGE) -> tuple[str, ...]:
        return tuple(do.step.id for do in steps_for(OURS, segment, causes, on(1)) if do.origin == "recovery")

    assert recovery(cause("quality", stream="complaints")) == RECOVERY_STEPS
    assert recovery(cause("service")) == RECOVERY_STEPS
    assert recovery(cause("price")) == ()
    assert recovery() == ()
    assert recovery(cause("service"), segment=Segment.BLEEDING) == ()


def test_a_second_cause_is_followed_only_where_it_is_nearly_as_strong() -> None:
    def lines(second: float) -> list[str]:
        return origins(steps_for(OURS, Segment.AVERAGE, [cause("price", 0.8), cause("innovation", second)], on(1)))[1:]

    assert lines(0.7) == ["cause.price", "cause.innovation"]
    assert lines(0.2) == ["cause.price"]


@pytest.mark.parametrize(
    ("tier", "step"), [("gold", "learn"), ("iron", "less_effort"), ("lead", "price_or_cost"), ("platinum", None)]
)
def test_each_tier_has_what_moves_it_up(tier: str, step: str | None) -> None:
    with_it = steps_for(OURS, Segment.AVERAGE, [], on(1), tier)
    assert [do.step.id for do in with_it if do.origin == f"tier.{tier}"] == ([] if step is None else [step])
    assert [do for do in with_it if not do.origin.startswith("tier.")] == steps_for(OURS, Segment.AVERAGE, [], on(1))


def test_a_playbook_without_tiers_is_still_one_and_the_same() -> None:
    """What an older program wrote keeps its digest."""
    older = read_playbook(re.sub(r"(?s)# -+ what moves.*?(?=# -+ the seven)", "", TEXT))
    assert older.tiers == {}
    assert b"tiers" not in msgspec.json.encode(older)


def test_the_digest_is_of_all_that_is_in_it() -> None:
    other = read_playbook(TEXT.replace("within_hours = 4,", "within_hours = 5,"))
    assert digest(OURS) == digest(read_playbook(TEXT)) != digest(other)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version = 1", "version = 2", "version"),
        ("[segments.average]", "[segments.avrage]", "segments.average is missing"),
        ("[tiers.gold]", "[tiers.golden]", "tiers.golden: there is no such thing"),
        ("[segments.average]", "[segments.avrage]", "segments.avrage: there is no such thing"),
        ("[causes.price]", "[causes.prize]", "causes.price is missing"),
        ('id = "solve"', 'id = "solved"', "the seven steps are apologise, solve"),
        ('id = "club", role', 'id = "frequency", role', "causes.price: the step frequency is there twice"),
        ('role = "senior", within_hours = 4', 'role = "boss", within_hours = 4', "no role boss under [roles]"),
        ("ties = []", 'ties = ["social"]', "segments.bleeding"),
        ("within_hours = 4,", 'within_hours = "soon",', "segments.large_premium, step 1"),
        ('tie = "social"', 'tie = "family"', "causes.service, step 2"),
        ("stance = {", "stnce = {", "segments.large_premium: Object contains unknown field `stnce`"),
        ('id = "solve"', "id = 7", "recovery, step 2"),
        ('name = "default"', "name = 7", "name"),
        ("[[recovery]]", "[[recovering]]", "recover"),
        ("[roles]", "[roles", "no TOML"),
    ],
)
def test_what_is_wrong_is_said_and_where(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(PlaybookError) as error:
        read_playbook(TEXT.replace(old, new, 1))
    assert said in str(error.value)

"""The feed in Redis forgets a customer: no key names them, and all others' part is what it would be without them."""

import msgspec
import pytest

from streamproc.adapters.redis.layout import keys_under
from streamproc.desk.feed import Numbered
from streamproc.desk.forgetting import farewell_of
from streamproc.desk.warning import Entry
from streamproc.testing.feed_contract import HOSTILE
from streamproc.testing.feed_entries import changed, judged, warned
from tests.adapters.redis.kit import PREFIX, RedisFeed, contents, numbered

KEYS = keys_under(PREFIX)
WHEN = "2026-02-01T00:00:00Z"


def holding(feed: RedisFeed, word: bytes) -> list[object]:
    """The keys that hold a word, by their dumps."""
    feed.client.config_set("rdbcompression", "no")
    found: list[object] = []
    for key in feed.client.keys("*"):
        dump = feed.client.dump(key)
        if dump is not None and word in dump:
            found.append(key)
    return found


def of(customer: str, *entries: Entry) -> list[Entry]:
    return [msgspec.structs.replace(entry, customer_id=customer) for entry in entries]


@pytest.mark.parametrize("gone", ["somebody-else", *HOSTILE])
def test_no_key_names_them_and_the_others_are_as_if_they_had_never_been(feed: RedisFeed, gone: str) -> None:
    others = [warned("w1", "other"), *of("other", changed("w1", "lost"), judged("w1")), warned("w3", gone + "x")]
    theirs = [warned("w2", gone), *of(gone, changed("w2", "escalated", probability=0.9)), warned("w4", gone)]
    entries = [others[0], theirs[0], others[1], theirs[1], others[2], theirs[2], others[3], farewell_of(gone, WHEN)]
    records = numbered(entries)
    assert feed.run(lambda store: store.write(None, records)) == len(records)
    assert feed.warnings(customers=[gone]) == []
    assert feed.life_of("w2") == ()
    with_others = contents(feed)
    counts = feed.counts()
    feed.client.flushall()
    feed.run(lambda store: store.write(None, numbered(others)))
    alone = contents(feed)
    assert with_others["lines"] == alone["lines"]
    assert {k: v for k, v in with_others.items() if k != "lines"} == {k: v for k, v in alone.items() if k != "lines"}
    assert counts == feed.counts()


def test_nothing_in_the_server_names_them(feed: RedisFeed) -> None:
    records = numbered([warned("w2", "forget-me"), warned("w1", "c"), farewell_of("forget-me", WHEN)])
    feed.run(lambda store: store.write(None, records[:2]))
    assert holding(feed, b"forget-me")
    feed.run(lambda store: store.write(1, records[2:]))
    assert holding(feed, b"forget-me") == []
    assert feed.run(lambda store: store.write(None, records)) == 0


def test_who_comes_again_is_somebody_new(feed: RedisFeed) -> None:
    came = [warned("w9", "c"), *of("c", changed("w9", "lost"))]
    records = numbered([warned("w1", "c"), farewell_of("c", WHEN), *came])
    feed.run(lambda store: store.write(None, records))
    feed.run(lambda store: store.write(None, records))
    assert [warning.id for warning in feed.warnings(customers=["c"])] == ["w9"]
    assert [msgspec.json.decode(line.body)["warning_id"] for line in feed.lines(0, 99)] == ["w9", "w9"]


def test_a_batch_may_begin_and_end_with_it(feed: RedisFeed) -> None:
    records: list[Numbered] = numbered([warned("w1", "c"), farewell_of("c", WHEN), farewell_of("d", WHEN)])
    feed.run(lambda store: store.write(None, records[:1]))
    assert feed.run(lambda store: store.write(0, records[1:])) == 2
    assert feed.run(lambda store: store.place()) is not None
    assert feed.client.get(KEYS.position) == b"2"

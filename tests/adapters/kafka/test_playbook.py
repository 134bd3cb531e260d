"""The playbook on a cluster in memory: told once to every partition, and its steps are those of a quiet run."""

from streamproc.core.control import PlaybookChange
from streamproc.desk.playbook import read_playbook
from streamproc.desk.warning import Warning  # noqa: A004 - it is the domain's word
from tests.adapters.kafka.quiet import quiet
from tests.adapters.kafka.simulated import Cluster
from tests.adapters.kafka.test_processors import EAGER, SETUP, feeds, lines, shop
from tests.schemas.shop import PLAYBOOK

OURS = read_playbook(PLAYBOOK.read_text(encoding="utf-8"))


def raised(cluster: Cluster) -> list[Warning]:
    return [entry.warning for entry in lines(cluster) if entry.warning is not None]


def test_warnings_ask_for_the_steps_of_the_playbook_whoever_dies() -> None:
    cluster = Cluster(feeds(shop()), seed=6, setup=SETUP, policy=EAGER, playbook=OURS)
    cluster.run(most=60, dies=0.05)
    journals = [cluster.journal(n) for n in range(cluster.partitions)]
    for records in journals:
        (change,) = [record for record in records if isinstance(record, PlaybookChange)]
        assert change.playbook == OURS
    assert len(raised(cluster)) > 10
    assert all(warning.steps for warning in raised(cluster))
    assert any(warning.causes for warning in raised(cluster))
    assert lines(cluster) == quiet(journals, SETUP.currency, cluster.config).lines


def test_without_a_playbook_warnings_ask_for_nothing() -> None:
    cluster = Cluster(feeds(shop()), seed=7, setup=SETUP, policy=EAGER)
    cluster.run(most=500)
    assert raised(cluster)
    assert not any(warning.steps for warning in raised(cluster))

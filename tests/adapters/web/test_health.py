import time

from streamproc.core.control import ClockMode
from tests.adapters.web.kit import Site


def test_a_run_at_work_is_ready(site: Site) -> None:
    answer = site.client.get("/readyz")
    health = answer.json()
    assert (answer.status_code, health["ready"], health["writer"]) == (200, True, "answers")
    assert 0 <= health["last_commit_seconds"] < 60
    assert health["clock"].startswith("2024-")
    assert health["behind_seconds"] is None


def test_a_silent_writer_is_told_and_the_process_is_alive(site: Site) -> None:
    with site.writer_away():
        answers = [site.client.get("/readyz") for _ in range(3)]
        while answers[-1].status_code == 200:  # an answer holds for a second
            answers.append(site.client.get("/readyz"))
        assert answers[-1].json()["writer"] == "silent"
        assert answers[-1].json()["last_commit_seconds"] > 0
        assert site.inbox.depth() == 1, "however often it is asked, one question waits"
        assert site.client.get("/livez").status_code == 200
    while site.client.get("/readyz").status_code == 503:
        pass


def test_time_that_follows_the_wall_must_move(site: Site) -> None:
    now = time.time_ns() // 1_000
    with site.writer_away():
        site.runner.set_mode(ClockMode(at=now, mode="wall"))
    health = site.client.get("/readyz").json()
    while health["behind_seconds"] is None:
        health = site.client.get("/readyz").json()
    assert not health["ready"]
    assert health["behind_seconds"] > 3600
    with site.writer_away():
        site.runner.advance_to(now)
    while not health["ready"]:
        health = site.client.get("/readyz").json()
    assert health["behind_seconds"] < 60

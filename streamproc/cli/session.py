"""One run on a data folder: the runner with its set-up, policy and rates, the inbox, and where news is shown."""

import signal
import sqlite3
import sys
import threading
from importlib.resources import files
from pathlib import Path
from types import FrameType

import msgspec
from rich.console import Console

from streamproc.adapters.embedded import feed
from streamproc.adapters.embedded.inbox import Inbox
from streamproc.adapters.embedded.replay import setup_of
from streamproc.adapters.embedded.runner import Runner
from streamproc.cli.render import entry_line, warning_lines
from streamproc.config import ConfigError, Settings
from streamproc.core.control import Setup
from streamproc.core.events import FirmFact
from streamproc.core.playbook import Playbook
from streamproc.core.policy import Policy
from streamproc.core.time import HOUR
from streamproc.desk.calendar import check
from streamproc.desk.playbook import PlaybookError, read_playbook
from streamproc.intake.mapping import Mapping, MappingProblem, load_mapping
from streamproc.intake.rates import Rates
from streamproc.wire.journal import decode
from streamproc.words import words_in


class Stop:
    """Set by Ctrl-C or SIGTERM (`by`): finish the batch in hand, commit, leave."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.by = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self.asked.is_set():  # asked twice: the last commit stands, so leaving at once loses nothing
            sys.exit(130)
        self.by = number
        self.asked.set()


class Session:
    """One run on a data folder. `broken` says of each stream that could not be read to its end why."""

    def __init__(self, db: sqlite3.Connection, settings: Settings, console: Console) -> None:
        self.console = console
        self.settings = settings
        setup = setup_for(db, settings)
        self.rates = rates_of(db, setup.currency)
        stale_after = settings.stale_hours * HOUR
        self.runner = Runner(db, setup, partitions=settings.partitions, stale_after=stale_after)
        self.runner.set_policy(policy_of(settings))
        self.runner.set_playbook(playbook_of(settings))
        self.words, self._currency = words_in(settings.language), setup.currency
        self._lateness = setup.lateness
        self.inbox = Inbox()
        self.stop = Stop()
        self.broken: list[str] = []
        self._db = db
        self._shown = 0
        self.skip_news()

    @property
    def settled(self) -> int:
        """What happened before this instant (µs) is judged; what comes of it now comes too late. 0: nothing is."""
        return max(0, self.runner.progress.clock - self._lateness)

    def show_news(self) -> None:
        """Prints the feed's lines since the last call: new warnings whole, what became of others on one line."""
        for seq, entry in feed.lines(self._db, self._shown):
            self._shown = seq
            if entry.warning is not None:
                for line in warning_lines(entry.warning, self.settings.language):
                    self.console.print(line)
            else:
                self.console.print(entry_line(self.words, entry, self._currency))

    def skip_news(self) -> None:
        """What the feed holds by now is not shown line by line."""
        (last,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM feed").fetchone()
        self._shown = int(last)


def rates_of(db: sqlite3.Connection, currency: str) -> Rates:
    """The currency rates that the journal holds."""
    rates = Rates(currency)
    query = "SELECT body FROM journal WHERE customer IS NULL AND event_id IS NOT NULL ORDER BY seq"
    for (body,) in db.execute(query):
        record = decode(body)
        if isinstance(record, FirmFact):
            rates.learn(record)
    return rates


def setup_for(db: sqlite3.Connection, settings: Settings) -> Setup:
    """The folder's set-up, or a new folder's. Raises ConfigError where the settings ask for another than it has."""
    held = setup_of(db)
    if held is None:
        return asked_setup(settings)
    return agreed(held, settings, str(settings.data), "begin another folder with --data")


def asked_setup(settings: Settings) -> Setup:
    """The set-up that a new journal gets."""
    asked = {
        "horizon_days": settings.horizon_days,
        "horizons": {str(kind): days for kind, days in settings.horizons.items()},
        "lateness": settings.lateness_hours * HOUR,
        "currency": settings.currency,
    }
    return msgspec.convert({"type": "setup", "at": 0, **asked}, Setup)


def agreed(held: Setup, settings: Settings, place: str, instead: str) -> Setup:
    """The set-up that `place` was begun with.

    Raises ConfigError where the settings state another; it says what to do `instead`.
    """
    asked = asked_setup(settings)
    stated = {name.replace("lateness_hours", "lateness") for name in settings.model_fields_set}
    for name in ("horizon_days", "horizons", "lateness", "currency"):
        if name in stated and getattr(held, name) != getattr(asked, name):
            raise ConfigError(
                f"{place} was begun with {name} = {getattr(held, name)}, and that may not change "
                f"(asked for: {getattr(asked, name)}). Leave it out, or {instead}."
            )
    return held


def policy_of(settings: Settings) -> Policy:
    """The settings' warning policy. Raises ConfigError naming what is wrong."""
    try:
        policy = msgspec.convert(settings.policy, Policy, strict=False)
        check(policy.promises)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"the warning policy cannot be used: {error}") from error
    return policy


def playbook_of(settings: Settings) -> Playbook:
    """The settings' playbook, else the one that comes with the program. Raises ConfigError naming what is wrong."""
    path = settings.playbook
    try:
        if path is None:
            return read_playbook((files("streamproc.desk") / "playbook.toml").read_text(encoding="utf-8"))
        return read_playbook(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    except PlaybookError as error:
        raise ConfigError(f"{path}: {error}") from error


def read_mapping(path: Path | None) -> Mapping | None:
    """The mapping in a TOML file. Raises ConfigError naming all that is wrong with it."""
    if path is None:
        return None
    try:
        mapping = load_mapping(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    if isinstance(mapping, MappingProblem):
        raise ConfigError(f"{path} cannot be used as a mapping:\n{mapping}")
    return mapping

"""From a shop to its feeds: all events in time order, the truth, and both as files."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from streamproc.simulate.dirt import SimEvent, is_poison, soil
from streamproc.simulate.firm import firm_facts
from streamproc.simulate.history import history
from streamproc.simulate.records import HEAD_LENGTH, STREAMS, Stream, entry_at, entry_stream
from streamproc.simulate.shop import Shop
from streamproc.simulate.spool import Spool
from streamproc.simulate.world import build_world

Progress = Callable[[int, int], None]
"""Called with customers done and customers in all."""

_PROGRESS_EVERY = 256


def simulate(shop: Shop, progress: Progress | None = None) -> Iterator[SimEvent]:
    """The shop's events in order of arrival, which is time order unless there is dirt.

    Every customer is simulated before the first event comes out; beyond some 200,000 events they wait in
    temporary files, so that memory does not grow with the shop.
    """
    return (event for event in _arriving(shop, progress) if event.stream != "truth")


def truth(shop: Shop) -> Iterator[bytes]:
    """The lines of truth.jsonl: one a departure, by time of leaving."""
    return (event.line for event in _events(shop, None) if event.stream == "truth")


def poisoned(shop: Shop) -> Iterator[SimEvent]:
    """The events of `simulate` that no reader may accept."""
    return filter(is_poison, simulate(shop))


def write(shop: Shop, folder: Path, progress: Progress | None = None) -> dict[Stream, int]:
    """Write purchases, complaints, contacts, facts and truth as JSON Lines; answers the lines of each.

    The folder is made if need be; files of these names in it are replaced. With dirt, the first four are in
    order of arrival. Raises OSError if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = dict.fromkeys(STREAMS, 0)
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / f"{name}.jsonl").open("wb")) for name in STREAMS}
        for event in _arriving(shop, progress):
            files[event.stream].write(event.line + b"\n")
            counts[event.stream] += 1
    return counts


def _arriving(shop: Shop, progress: Progress | None) -> Iterator[SimEvent]:
    events = _events(shop, progress)
    return soil(events, shop.dirt, shop.seed) if shop.dirt.any() else events


def _events(shop: Shop, progress: Progress | None) -> Iterator[SimEvent]:
    """The clean events and the truth, in time order."""
    world = build_world(shop)
    with Spool(shop.opens, shop.ends) as spool:
        spool.take(firm_facts(world))
        for number in range(shop.customers):
            spool.take(history(world, number))
            if progress is not None and number % _PROGRESS_EVERY == 0:
                progress(number, shop.customers)
        if progress is not None:
            progress(shop.customers, shop.customers)
        for packed in spool.give():
            yield SimEvent(entry_stream(packed), entry_at(packed), packed[HEAD_LENGTH:])

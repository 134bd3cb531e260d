"""Records of a stream on their way to the run's inbox, in lists: to hand over a list costs as much as one record."""

from concurrent.futures import Future, wait

from streamproc.adapters.embedded.inbox import BATCH, Inbox, Status
from streamproc.adapters.sources import Item
from streamproc.cli.tally import Tally

LONGEST = BATCH
LARGEST = 4 << 20
"""A list is handed over once it has so many records, or so many bytes of them."""


class Lists:
    """Makes lists of records, and counts in a tally what became of them.

    A list is handed over once it is long enough, and when its owner says that nothing more is there for now; at most
    one waits while another is taken in. Not for use by two threads at once. Every call raises InboxFullError where the
    inbox is closed. A list that was not taken in is not counted: whoever takes says why.
    """

    def __init__(self, inbox: Inbox, tally: Tally) -> None:
        self._inbox = inbox
        self._tally = tally
        self._items: list[Item] = []
        self._bytes = 0
        self._given: tuple[list[Item], Future[list[Status]]] | None = None

    def add(self, item: Item) -> None:
        """One record more."""
        self._items.append(item)
        self._bytes += len(item.raw)
        if len(self._items) >= LONGEST or self._bytes >= LARGEST:
            self.hand_over()

    def hand_over(self) -> None:
        """All that there is by now."""
        if self._items:
            items, self._items, self._bytes = self._items, [], 0
            self._settle()
            self._given = items, self._inbox.submit(items, wait=True)

    def end(self) -> None:
        """Hands over the rest, and waits until all is taken in."""
        self.hand_over()
        self._settle()

    def _settle(self) -> None:
        if self._given is not None:
            items, answered = self._given
            self._given = None
            wait([answered])
            if answered.exception() is None:
                self._tally.add(items, answered.result())

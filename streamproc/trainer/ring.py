"""Bounded memories of examples, chosen by hash so that they depend on nothing else."""

from collections.abc import Iterable
from heapq import heapify, heappush, heappushpop

from streamproc.core.time import DAY
from streamproc.scoring.examples import Example, customer_hash

LARGEST = 2_048
"""Matured examples kept."""

OLDEST = 400
"""Days after which a matured example is let go: a little over a year, so that every season is in it."""


def place(example: Example) -> int:
    """The hash of (customer, instant) by which examples are chosen."""
    return customer_hash(f"{example.customer_id} {example.at}")


def thinned(examples: list[Example], most: int) -> list[Example]:
    """The examples, or where there are more than `most`, those of smallest hash, in the order given."""
    if len(examples) <= most:
        return examples
    bound = sorted(place(example) for example in examples)[most]
    return [example for example in examples if place(example) < bound]


class Ring:
    """A hash sample of the matured examples of the last OLDEST days."""

    def __init__(self, examples: Iterable[Example] = ()) -> None:
        self._kept: dict[int, Example] = {}
        self._heap: list[int] = []  # negated places: the largest on top
        for example in examples:
            self.keep(example)

    def keep(self, example: Example) -> bool:
        """Take the example in unless there are enough of smaller hash; says whether it was taken."""
        here = place(example)
        if here in self._kept:
            self._kept[here] = example
            return False
        if len(self._kept) < LARGEST:
            heappush(self._heap, -here)
        else:
            out = -heappushpop(self._heap, -here)
            if out == here:
                return False
            del self._kept[out]
        self._kept[here] = example
        return True

    def forget(self, at: int) -> None:
        """Let go of what is older than OLDEST days at the instant `at` (µs)."""
        old = [key for key, example in self._kept.items() if example.at < at - OLDEST * DAY]
        if old:
            for key in old:
                del self._kept[key]
            self._heap = [-key for key in self._kept]
            heapify(self._heap)

    def examples(self) -> list[Example]:
        """What is kept, by instant and customer."""
        return sorted(self._kept.values(), key=lambda example: (example.at, example.customer_id))

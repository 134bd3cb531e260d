"""A shop whose truth is known: seeded customers who buy, complain, ask, leave for a cause, or come back.

It writes what a real shop would export, and beside it who left when and why. It shares no code with what
watches it: only so can it tell whether the watching is right. DATASHEET.md says what is in it, and what not.
"""

from streamproc.simulate.dirt import POISONS, SimEvent, is_poison
from streamproc.simulate.feeds import poisoned, simulate, truth, write
from streamproc.simulate.grievances import CAUSES
from streamproc.simulate.records import STREAMS, Stream
from streamproc.simulate.shop import Dirt, Shop, demo_shop

__all__ = [
    "CAUSES",
    "POISONS",
    "STREAMS",
    "Dirt",
    "Shop",
    "SimEvent",
    "Stream",
    "demo_shop",
    "is_poison",
    "poisoned",
    "simulate",
    "truth",
    "write",
]

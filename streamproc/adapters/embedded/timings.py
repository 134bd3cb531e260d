"""How long the writer's work takes."""

from streamproc.core.durations import Durations


class Timings:
    """Seconds of whole batches, and of the commits at their end and of ticks between them."""

    def __init__(self) -> None:
        self.batches = Durations()
        self.commits = Durations()

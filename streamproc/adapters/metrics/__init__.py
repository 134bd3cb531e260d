"""Metrics for Prometheus: what the program counts, read when asked, and what the process itself sees."""

from streamproc.adapters.metrics.process import Metrics
from streamproc.adapters.metrics.seen import AtDesk, Base, Judged, Kept, Model, Ruled, Seen, Time

__all__ = ["AtDesk", "Base", "Judged", "Kept", "Metrics", "Model", "Ruled", "Seen", "Time"]

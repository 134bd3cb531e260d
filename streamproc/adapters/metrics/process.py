"""Metrics of a process with a page: requests and streams as they happen, the rest when it is scraped.

Names follow Prometheus' rules: base units, `_total` for counters, one meaning a name. Labels are codes of closed sets:
never a customer, an event or a path.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from streamproc.adapters.metrics.catalogue import CATALOGUE
from streamproc.adapters.metrics.collect import RunCollector
from streamproc.adapters.metrics.seen import Seen

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The process' metrics: requests and streams as they happen, the store and the process when scraped."""

    def __init__(self, look: Callable[[], Seen | None]) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(RunCollector(look))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        about = CATALOGUE["streamproc_http_requests_total"]
        self._requests = Counter(about.name, about.meaning, about.labels, registry=self._registry)
        about = CATALOGUE["streamproc_http_request_duration_seconds"]
        self._seconds = Histogram(about.name, about.meaning, about.labels, buckets=SECONDS, registry=self._registry)
        about = CATALOGUE["streamproc_http_streams"]
        self._streams = Gauge(about.name, about.meaning, about.labels, registry=self._registry)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One answered request; `route` is the route's pattern, never the path asked for."""
        known = method if method in {"GET", "HEAD", "POST"} else "other"
        self._requests.labels(route, known, str(status)).inc()
        if route != "/stream":
            self._seconds.labels(route).observe(seconds)

    def streams(self, count: int) -> None:
        """How many streams are open."""
        self._streams.set(count)

    def exposition(self) -> tuple[bytes, str]:
        """All metrics as text, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

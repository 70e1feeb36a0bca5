"""Figures about requests for Prometheus. Imported only when somebody may see them.

Several processes of one server put their figures together when ``PROMETHEUS_MULTIPROC_DIR`` names a folder that is
empty when they start. Must not import Flask.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0)


class Metrics:
    """The figures of one application, in a registry of its own."""

    def __init__(self) -> None:
        own = self._registry = CollectorRegistry()
        of_requests = ("method", "route", "status")
        self._requests = Counter("glassine_requests", "Requests that were answered.", of_requests, registry=own)
        self._seconds = Histogram(
            "glassine_request_seconds", "From a request's arrival to the last byte of its answer.", ("method", "route"),
            buckets=_SECONDS, registry=own,
        )  # fmt: skip
        self._received = Counter("glassine_received_bytes", "Bytes of the bodies of requests.", registry=own)
        self._sent = Counter("glassine_sent_bytes", "Bytes of the bodies of answers.", registry=own)
        self._in_flight = Gauge(
            "glassine_requests_in_flight", "Requests that are being worked on.",
            multiprocess_mode="livesum", registry=own,
        )  # fmt: skip

    def begun(self) -> None:
        """A request is being worked on."""
        self._in_flight.inc()

    def finished(self, method: str, route: str, status: int, seconds: float, received: int, sent: int) -> None:
        """It no longer is; sizes are bytes of bodies."""
        self._in_flight.dec()
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)
        self._received.inc(received)
        self._sent.inc(sent)

    def families(self) -> Iterable[Metric]:
        """What there is, with names and help."""
        return self._registry.collect()

    def page(self) -> tuple[bytes, str]:
        """All figures as text, and its content type; of all processes, where there are several."""
        registry = self._registry
        if os.environ.get(FOLDER):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST

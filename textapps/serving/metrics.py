"""What a server counts, for Prometheus."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from textapps.serving.model_version import ModelVersion

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """Counters and histograms of one server.

    Labels name only what exists: a request for a model that was not found, or for none, has
    empty ones, so that no client can make the number of series grow.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "textapps_requests",
            "Requests answered.",
            ("model", "version", "code"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "textapps_request_seconds",
            "Time from a request's headers to the end of its answer.",
            ("model", "version"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._rows = Histogram(
            "textapps_batch_rows",
            "Rows in a call of a signature.",
            ("model", "version", "signature"),
            buckets=_ROWS,
            registry=self._registry,
        )

    def request(self, model: str, version: str, code: int | str, seconds: float) -> None:
        """Count an answer; model and version are empty where none was found.

        `code` is a status of HTTP, or the name of a status code of gRPC.
        """
        self._requests.labels(model, version, str(code)).inc()
        self._seconds.labels(model, version).observe(seconds)

    def batch(self, model: str, version: int, signature: str, rows: int) -> None:
        """Count a call of a signature."""
        self._rows.labels(model, str(version), signature).observe(rows)

    def watch_queues(self, loaded: Callable[[], Iterable[ModelVersion]]) -> None:
        """Show how many requests wait for each of the versions that `loaded` gives."""
        self._registry.register(_Queues(loaded))

    def text(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self._registry)


class _Queues(Collector):
    """Reads the lengths of the queues whenever metrics are collected."""

    def __init__(self, loaded: Callable[[], Iterable[ModelVersion]]) -> None:
        self._loaded = loaded

    def collect(self) -> Iterator[GaugeMetricFamily]:
        gauge = GaugeMetricFamily(
            "textapps_queue_length", "Requests that wait for a call.", labels=("model", "version")
        )
        for version in self._loaded():
            gauge.add_metric((version.name, str(version.version)), version.waiting)
        yield gauge

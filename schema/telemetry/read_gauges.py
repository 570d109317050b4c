"""Gauges of values that a scrape of `/metrics` reads, mostly from the database; see `read_gauges.toml`."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily

from tracker.domain.basics.toml_files import read_toml

Readings: TypeAlias = dict[tuple[str, ...], float]
"""Values by the name of the gauge, followed by the values of its labels."""
GAUGES: dict[str, Any] = read_toml(__file__)


class ReadGauges:
    """Gauges of one reading. A gauge that was not read has no value: an old one could raise false alerts."""

    def __init__(self, registry: CollectorRegistry):
        self._readings: Readings = {}
        registry.register(self)

    def show(self, readings: Readings) -> None:
        """Replace all values."""
        self._readings = readings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges with their values."""
        for name, of in GAUGES.items():
            family = GaugeMetricFamily(
                f"tracker_{name}", of["description"], labels=of.get("labels", ())
            )
            for (read, *values), value in self._readings.items():
                if read == name:
                    family.add_metric(values, value)
            yield family

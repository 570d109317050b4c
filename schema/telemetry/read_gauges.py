"""Gauges of values that a scrape of `/metrics` reads, mostly from the database."""

from collections.abc import Iterator
from typing import TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily

Readings: TypeAlias = dict[tuple[str, ...], float]
"""Values by the name of the gauge, followed by the values of its labels."""


class ReadGauges:
    """Gauges of one reading. A gauge that was not read has no value: an old one could raise false alerts."""

    def __init__(self, registry: CollectorRegistry):
        self._descriptions: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._readings: Readings = {}
        registry.register(self)

    def add(self, name: str, about: str, *labels: str) -> None:
        """Add a gauge with its labels; `tracker_` precedes its name."""
        self._descriptions[name] = about, labels

    def show(self, readings: Readings) -> None:
        """Replace all values."""
        self._readings = readings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges with their values."""
        for name, (about, labels) in self._descriptions.items():
            family = GaugeMetricFamily(f"tracker_{name}", about, labels=labels)
            for (of, *values), value in self._readings.items():
                if of == name:
                    family.add_metric(values, value)
            yield family

"""The times by which histograms of `/metrics` count, in seconds."""

from __future__ import annotations

LATENCY_BUCKETS_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
"""Of what we answer, append and deliver."""
FETCH_BUCKETS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Of what publishers answer, who may take their time."""

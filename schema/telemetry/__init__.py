"""Telemetry: log lines, metrics, readiness."""

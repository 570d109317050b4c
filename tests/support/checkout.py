"""Where the checkout is, and what it is made of."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
FLOORS = ("tracker", "projections", "schema", "deploy")
"""Packages, from the ground to the top."""

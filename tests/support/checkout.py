"""Location and packages of the checkout."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
FLOORS = ("tracker", "projections", "schema", "deploy")
"""Packages, from bottom to top."""

"""Client of the critical-minerals policy tracker."""

from minerals_tracker.client import AsOf, Tracker
from minerals_tracker.connection import TrackerError
from minerals_tracker.events import Event
from minerals_tracker.receipts import BadReceipt, Receipt, verify_receipt
from minerals_tracker.tables import Table

__all__ = [
    "AsOf",
    "BadReceipt",
    "Event",
    "Receipt",
    "Table",
    "Tracker",
    "TrackerError",
    "verify_receipt",
]

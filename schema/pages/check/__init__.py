"""The check of a shipment."""

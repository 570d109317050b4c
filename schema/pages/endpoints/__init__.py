"""Endpoints: where events are delivered to, and what people do with them."""

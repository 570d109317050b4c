"""Declared things of the world: places, commodities, products, customs codes, publishers."""

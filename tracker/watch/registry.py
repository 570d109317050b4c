"""Registry of adapters."""

from tracker.errors import InvalidInput
from tracker.watch.adapter import Adapter
from tracker.watch.adapters import (
    bgs_ogc,
    eu_cellar,
    federal_register,
    feed,
    mofcom,
    notices,
    page,
    uk_legislation,
    usgs_sciencebase,
)

ADAPTERS: tuple[Adapter, ...] = (
    federal_register.ADAPTER,
    eu_cellar.ADAPTER,
    uk_legislation.ADAPTER,
    mofcom.ADAPTER,
    usgs_sciencebase.ADAPTER,
    bgs_ogc.ADAPTER,
    feed.ADAPTER,
    page.ADAPTER,
    notices.ADAPTER,
)


def adapter_named(name: str) -> Adapter:
    """Return the adapter of a name. Raises InvalidInput for an unknown one."""
    for adapter in ADAPTERS:
        if adapter.name == name:
            return adapter
    known = ", ".join(adapter.name for adapter in ADAPTERS)
    raise InvalidInput(
        f"{name!r} is not an adapter: expected one of {known}",
        code="UNKNOWN_ADAPTER",
        path=("adapter",),
    )

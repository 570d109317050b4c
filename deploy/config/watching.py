"""With what sources are watched, from the settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from deploy.config import settings
from deploy.config.setting_table import WATCH
from deploy.config.setting_values import WrongSetting
from tracker.errors import InvalidInput
from tracker.watch.registry import adapter_named
from tracker.watch.settings import load_sources
from tracker.watch.watcher import WatchOptions
from tracker.web.fetcher import AGENT

PACKAGE = "critical-minerals-policy-tracker"


def watch_options(
    environment: Mapping[str, str] = os.environ,
    *,
    file: Path | None = None,
    ask_for_it: bool = False,
) -> WatchOptions | None:
    """With what sources are watched; None where the settings say that they are not, and nobody asks
    for it. `file` takes the place of the one of the settings.

    Raises WrongSetting, and InvalidInput for a file that was given.
    """
    found = settings.watch_file(environment)
    if found is False and not ask_for_it:
        return None
    try:
        sources = load_sources(file or (found if isinstance(found, Path) else None), adapter_named)
    except InvalidInput as error:
        if file is not None:
            raise
        raise WrongSetting(f"{WATCH.variable}: {error.message}") from None
    contact = settings.watch_contact(environment)
    agent = f"{AGENT}/{version(PACKAGE)}" + (f" (+{contact})" if contact else "")
    return WatchOptions(
        sources,
        adapter_named,
        settings.watch_networks(environment),
        agent,
        settings.snapshots(environment),
    )

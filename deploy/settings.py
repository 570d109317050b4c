"""Settings, from the environment or from flags; README.md has the same table, and a test compares.

A secret is never a flag: flags can be read in the list of processes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its environment variable, its flag if it has one, its default, its meaning."""

    variable: str
    flag: str | None
    default: str
    meaning: str


DATA_DIR = Setting("TRACKER_DATA_DIR", "--data-dir", "one directory per user",
                   "where the embedded PostgreSQL keeps its data")
DATABASE_URL = Setting("TRACKER_DATABASE_URL", None, "none: the embedded server",
                       "a PostgreSQL (17 or newer) to use instead of the embedded one")
HOST = Setting("TRACKER_HOST", "--host", "127.0.0.1", "the address to listen on")
PORT = Setting("TRACKER_PORT", "--port", "8000", "the port to listen on")
WRITE_TOKEN = Setting("TRACKER_WRITE_TOKEN", None, "none: nobody may write",
                      "the bearer token that mutations need; the demo is open without it")
PG_BIN = Setting("TRACKER_PG_BIN", None, "the wheel's, or an installed one",
                 "the directory of PostgreSQL's programs for the embedded server")
LOG_LEVEL = Setting("TRACKER_LOG_LEVEL", "--log-level", "warning",
                    "how much is logged: debug, info, warning or error")
LOG_FORMAT = Setting("TRACKER_LOG_FORMAT", "--log-format", "text",
                     "text for people, or json: a line of JSON each")

SETTINGS = (DATA_DIR, DATABASE_URL, HOST, PORT, WRITE_TOKEN, PG_BIN, LOG_LEVEL, LOG_FORMAT)


def database_url(environment: Mapping[str, str] = os.environ) -> str | None:
    """The PostgreSQL to use instead of the embedded one."""
    return environment.get(DATABASE_URL.variable) or None


def write_token(environment: Mapping[str, str] = os.environ) -> str | None:
    """The token that mutations need."""
    return environment.get(WRITE_TOKEN.variable) or None

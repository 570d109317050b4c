"""Formats of logs and notes: text, or one JSON object per line.

Secrets of the settings are removed from all messages and tracebacks.
"""

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from deploy.output.terminal import Terminal, escaped_json

MIN_SECRET_CHARACTERS = 4
"""Minimum length of removed secrets; shorter ones would match parts of ordinary words."""
NOTES_LOGGER = "tracker"
"""Logger of notes in JSON."""


class LogFormat(StrEnum):
    """The format of a log line."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """Log levels: this level and all more severe ones are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class TextFormatter(logging.Formatter):
    """A formatter of text without secrets."""

    def __init__(self, secrets: Iterable[str] = ()):
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._secrets = longest_first(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the text, with a traceback if there is one."""
        return without_secrets(self._secrets, super().format(record))


class JsonFormatter(logging.Formatter):
    """A formatter of JSON lines; `fields` of a record replace its message."""

    def __init__(self, secrets: Iterable[str] = ()):
        super().__init__()
        self._secrets = longest_first(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **getattr(record, "fields", {"message": record.getMessage()}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        for name, value in line.items():
            if isinstance(value, str):
                line[name] = without_secrets(self._secrets, value)
        return escaped_json(json.dumps(line, ensure_ascii=False, default=str))


def reason(error: BaseException) -> str:
    """Return the message of an error or, if it is empty, its class."""
    return str(error) or (
        "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
    )


def name_silent_errors(record: logging.LogRecord) -> bool:
    """Add the reason to a record that ends with an error without a message."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            reason(each) if isinstance(each, BaseException) else each for each in record.args
        )
    return True


def longest_first(secrets: Iterable[str]) -> list[str]:
    """Return secrets by descending length, because one may be a part of another."""
    return sorted({s for s in secrets if len(s) >= MIN_SECRET_CHARACTERS}, key=len, reverse=True)


def without_secrets(secrets: Iterable[str], text: str) -> str:
    """Return a text without secrets."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return text


def log_to_stderr(level: LogLevel, form: LogFormat, secrets: Iterable[str] = ()) -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonFormatter(secrets) if form is LogFormat.JSON else TextFormatter(secrets)
    )
    handler.addFilter(name_silent_errors)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Our own loggers report a lost database; this one would add a traceback every second.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)


def json_formatter() -> JsonFormatter | None:
    """Return the JSON formatter in use, or None for text logs."""
    formatters = (handler.formatter for handler in logging.getLogger().handlers)
    return next(
        (formatter for formatter in formatters if isinstance(formatter, JsonFormatter)), None
    )


class Notes(Terminal):
    """Notes on standard error, in the format of the log if that is JSON."""

    def __init__(self) -> None:
        super().__init__(stderr=True, highlight=False, soft_wrap=True)

    def print(self, *parts: Any, style: Any = None, **options: Any) -> None:
        """Write a note; a red one is an error, a yellow one a warning."""
        formatter = json_formatter()
        if formatter is None:
            super().print(*parts, style=style, **options)
            return
        level = {"red": logging.ERROR, "yellow": logging.WARNING}.get(style, logging.INFO)
        text = " ".join(map(str, parts))
        record = logging.LogRecord(NOTES_LOGGER, level, __file__, 0, text, None, None)
        self.file.write(formatter.format(record) + "\n")
        self.file.flush()

    @property
    def is_terminal(self) -> bool:
        """Whether the output is an interactive terminal, not JSON lines."""
        return super().is_terminal and json_formatter() is None

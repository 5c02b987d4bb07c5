"""One line per fact on standard error: JSON, or console on a terminal. Secrets are scrubbed before a line is written.

A line that cannot be written, because its disk is full or its reader is gone, is dropped: no act depends on it.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from io import TextIOBase
from typing import Any, TextIO

import structlog

from bot.terminal import visible

_SECRET = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|https?://hooks\.[^\s\"']+|whsec_[\w+/=]+|/response/[\w/-]+")
_HIDDEN = "[hidden]"


class LossyStream(TextIOBase):
    """Writes to another stream, and drops what that refuses."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure(log_format: str | None) -> None:
    """Sets up structlog and the standard library's loggers. None: console on a terminal, else JSON."""
    console = log_format == "console" or (log_format is None and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        scrub,
        *([plain] if console else []),
    ]
    stream: Any = LossyStream(sys.stderr)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def aside() -> None:
    """For commands that print their answer: sends log lines to standard error, unless logging is configured already."""
    if not structlog.is_configured():
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def scrub(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hides tokens and answer addresses anywhere in a line."""
    return {key: _clean(value) for key, value in event.items()}


def plain(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For a terminal: shows what it would obey."""
    return {key: visible(value) if isinstance(value, str) else value for key, value in event.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET.sub(_HIDDEN, value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list | tuple) else value

"""Which `Tracing` a bot has: none, or OpenTelemetry's where COUNTERSIGN_TRACES_URL is set."""

from __future__ import annotations

from bot.domain.errors import SettingsError
from bot.ports.tracing import NO_TRACING, Tracing


def tracing(url: str | None) -> Tracing:
    """Raises SettingsError where an address is set and OpenTelemetry is not installed."""
    if url is None:
        return NO_TRACING
    try:
        from bot.runtime.otel import sending_to
    except ImportError:
        raise SettingsError(
            "COUNTERSIGN_TRACES_URL needs OpenTelemetry: pip install 'countersign[otel]', or leave it out."
        ) from None
    return sending_to(url)

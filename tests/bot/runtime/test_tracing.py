"""Traces are off unless an address is set, and an address without OpenTelemetry is one sentence."""

from __future__ import annotations

import sys

import pytest

from bot.domain.errors import SettingsError
from bot.ports.tracing import NO_TRACING
from bot.runtime.otel import RequestTraces
from bot.runtime.tracing import tracing


def test_without_an_address_nothing_is_traced() -> None:
    assert tracing(None) is NO_TRACING


def test_with_an_address_it_is_opentelemetry() -> None:
    assert isinstance(tracing("http://127.0.0.1:9/v1/traces"), RequestTraces)


def test_an_address_without_the_package_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bot.runtime.otel", None)
    with pytest.raises(SettingsError, match=r"countersign\[otel\]"):
        tracing("http://127.0.0.1:9/v1/traces")

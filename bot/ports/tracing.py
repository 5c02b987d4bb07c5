"""Where the parts report what they do for a request, so that its whole way can be seen as one trace."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Tracing(Protocol):
    """A span lasts as long as its context. Nothing in it names a person or holds anybody's text."""

    def span(
        self, name: str, request: str | None, *, begins: bool = False, **about: str | int
    ) -> AbstractContextManager[None]:
        """`begins`: the request's first span, that all others lie under. Without a `request` nothing is reported."""


class NoTracing:
    """`Tracing` that reports nothing: the default."""

    def span(
        self, name: str, request: str | None, *, begins: bool = False, **about: str | int
    ) -> AbstractContextManager[None]:
        return nullcontext()


NO_TRACING = NoTracing()


def request_of(command: object) -> str | None:
    """The request, act or answer that a command is about, by its id; None where it is about none."""
    found: str | None = getattr(command, "case", None) or getattr(command, "id", None)
    return found

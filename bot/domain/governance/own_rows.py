"""What a message with somebody's own rows of the matrix is about, so that it can be drawn again after an answer on them."""

from __future__ import annotations

from hashlib import sha256

from bot.domain.policy.people import Person

PREFIX = "M-"


def about_rows_of(person: Person) -> str:
    """The name under which the copies of that person's messages are kept; it names nobody."""
    return PREFIX + sha256(str(person).encode()).hexdigest()[:16]


def is_about_rows(about: str | None) -> bool:
    """Whether a message is about somebody's rows of the matrix rather than a request."""
    return about is not None and about.startswith(PREFIX)

"""Resolves pseudonyms by the disclosures named `person`, and by nothing else.

A pseudonym is the beginning of the SHA-256 of the disclosure that introduces it, so one disclosure proves one pseudonym,
wherever it is found. A pseudonym whose disclosure was erased cannot be resolved.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable

from bot.domain.decision_log.entry import pseudonym_of
from bot.domain.decision_log.verify.log import Shown

PERSON = "person"


def opened(text: str) -> tuple[str, str] | None:
    """Name and value of an RFC 9901 disclosure, an object as JSON; None if it is malformed."""
    try:
        found = json.loads(_bytes(text))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or len(found) != 3 or not all(isinstance(part, str) for part in found[:2]):
        return None
    value = found[2]
    if isinstance(value, dict):
        return found[1], json.dumps(value)
    return (found[1], value) if isinstance(value, str) else None


def may_name(text: str, *names: str) -> bool:
    """Whether a disclosure may be of one of these names (ASCII letters): False where its bytes show that it is of none, without reading
    all of it. A name is written as it is, or with an escape, or in an encoding that has bytes of zero."""
    try:
        data = _bytes(text)
    except ValueError:
        return False
    return b"\\" in data or b"\0" in data or any(b'"%b"' % name.encode() in data for name in names)


def known_people(disclosures: Iterable[Shown]) -> dict[str, str]:
    """`TEAM/USER` by pseudonym."""
    told = ((shown, opened(shown.text)) for shown in disclosures if may_name(shown.text, PERSON))
    return {pseudonym_of(shown.text): said[1] for shown, said in told if said is not None and said[0] == PERSON}


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

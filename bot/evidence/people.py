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
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or len(found) != 3 or not all(isinstance(part, str) for part in found[:2]):
        return None
    value = found[2]
    if isinstance(value, dict):
        return found[1], json.dumps(value)
    return (found[1], value) if isinstance(value, str) else None


def known_people(disclosures: Iterable[Shown]) -> dict[str, str]:
    """`TEAM/USER` by pseudonym."""
    told = ((shown, opened(shown.text)) for shown in disclosures)
    return {pseudonym_of(shown.text): said[1] for shown, said in told if said is not None and said[0] == PERSON}

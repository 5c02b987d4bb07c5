"""What is wrong with an answer to a runbook's own field, by the field's type. Design, sections 2 and 6.

Each sentence names the field by its label and says what it wants; it is shown at the field. The length comes first: no
pattern is tried on a text that is too long. A pattern without the matcher that the loader compiled fits nothing.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from bot.domain.policy.model import FieldSpec

TEXT_MAX = 3000  # characters
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URL = re.compile(r"https?://[^\s<>]+")
_PREPOSITIONS = frozenset({"at", "by", "for", "from", "in", "of", "on", "or", "to", "with"})
_EXAMPLE = re.compile(r"(?:for example|example|e\.g\.|such as|like)[:,]?\s+", re.IGNORECASE)
_USER = re.compile(r"[UW][A-Z0-9]{2,}")

_CAPITALS = {"id": "ID", "mfa": "MFA", "sso": "SSO", "url": "URL", "vpn": "VPN"}


def key_in_words(key: str) -> str:
    """A key of a policy file for people: `id_document` is *ID document*."""
    return " ".join(_CAPITALS.get(word, word) for word in key.split("_"))


def wrong(spec: FieldSpec, value: str) -> str | None:
    """What to correct in an answer that is not empty; None if it is valid."""
    if len(value) > TEXT_MAX:
        return f"{spec.label}: at most {TEXT_MAX} characters."
    if spec.type == "number":
        return _wrong_number(spec, value)
    if spec.type in ("text", "multiline"):
        return _wrong_length(spec, value) or _wrong_form(spec, value)
    if spec.type == "select" and value not in spec.options:
        return f"{spec.label}: choose one of the options."
    return _wrong_shape(spec, value)


def _wrong_shape(spec: FieldSpec, value: str) -> str | None:
    if spec.type == "date":
        return None if _is(date.fromisoformat, value) else f"{spec.label}: a date as 2026-12-31."
    if spec.type == "datetime":
        return None if value.isdecimal() or _is(datetime.fromisoformat, value) else f"{spec.label}: a date and a time."
    if spec.type == "email":
        return None if _EMAIL.fullmatch(value) else f"{spec.label}: an e-mail address."
    if spec.type == "url":
        return None if _URL.fullmatch(value) else f"{spec.label}: an address that starts with https://."
    if spec.type == "person":
        return None if _USER.fullmatch(value) else f"{spec.label}: choose a person."
    if spec.type == "boolean":
        return None if value in ("yes", "no") else f"{spec.label}: yes or no."
    return None


def _wrong_number(spec: FieldSpec, value: str) -> str | None:
    if not re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,9})?", value):
        return f"{spec.label}: a number."
    number = float(value)
    if spec.minimum is not None and number < spec.minimum:
        return f"{spec.label}: at least {spec.minimum:g}."
    if spec.maximum is not None and number > spec.maximum:
        return f"{spec.label}: at most {spec.maximum:g}."
    return None


def _wrong_length(spec: FieldSpec, value: str) -> str | None:
    if spec.type == "text" and any(c in value for c in "\r\n"):
        return f"{spec.label}: one line."
    if spec.minimum is not None and len(value) < spec.minimum:
        return f"{spec.label}: at least {spec.minimum:g} characters."
    if spec.maximum is not None and len(value) > spec.maximum:
        return f"{spec.label}: at most {spec.maximum:g} characters."
    return None


def _wrong_form(spec: FieldSpec, value: str) -> str | None:
    if spec.pattern is None or (spec.matcher is not None and spec.matcher(value)):
        return None
    return f"That isn't a valid {_named(spec.label)}. {_example(spec)}"


def _named(label: str) -> str:
    """The noun of a label: `Incident ticket` is a ticket. One with a preposition or a bracket is kept whole."""
    words = label.split()
    noun = words[-1] if words and all(w.isalpha() and w.lower() not in _PREPOSITIONS for w in words) else label
    return noun if noun.isupper() else noun[:1].lower() + noun[1:]


def _example(spec: FieldSpec) -> str:
    """What would be valid: the runbook's hint, whose usual beginnings all become `Example:`."""
    if not spec.hint:
        return f"It must match {spec.pattern}."
    example = _EXAMPLE.match(spec.hint)
    said = f"Example: {spec.hint[example.end() :]}" if example else spec.hint
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _is(parse: object, value: str) -> bool:
    try:
        parse(value)  # type: ignore[operator]
    except ValueError:
        return False
    return True

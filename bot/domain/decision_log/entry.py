"""The decision log's bytes and its tree, pure.

An entry is one JSON object in RFC 8785 form; the log is a Merkle tree over the entries' exact bytes (RFC 9162: leaf
SHA-256(0x00 ‖ bytes), node SHA-256(0x01 ‖ left ‖ right)). What breaks the format is refused before anything is written.
Source: decision-log.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import rfc8785

from bot.domain.case.transition import Actor, Disclosed, FileDigest, LogEvent, Private
from bot.domain.decision_log.merkle_tree import leaf_hash
from bot.domain.errors import EntryError
from bot.domain.policy.people import Person

MAX_BYTES = 65_535
_MAX_INT = 2**53
_HALF = "A text holds half a character (a lone surrogate); type it again."
_COMPACT = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
_ATOMS = frozenset({str, int, bool})  # what names nobody and is written as it is
Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EntryPosition:
    """An entry's position: `i` in the log; `seq` and `prev` (leaf of the case's entry before) in its case."""

    log: str
    i: int
    ts: datetime
    seq: int = 0
    prev: bytes | None = None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """`digest` is in the entry's `_sd`; `text` is RFC 9901's disclosure, kept in the deletable table."""

    digest: str
    text: str
    subject: Person


@dataclass(frozen=True, slots=True)
class HashedEntry:
    """An entry ready to be stored: its exact bytes, its leaf hash and what its digests disclose."""

    data: bytes
    leaf: bytes
    disclosures: tuple[Disclosure, ...]


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seal(
    draft: LogEvent,
    place: EntryPosition,
    refs: Mapping[Person, str],
    fresh: Iterable[Disclosure],
    salt: Callable[[], bytes],
) -> HashedEntry:
    """Gives a draft its place and its bytes.

    `refs` maps every person it names to their pseudonym; `fresh` introduces those that the log names for the first time
    (`introduce`). `salt` gives 16 random bytes. Raises EntryError.
    """
    told = tuple(disclose(private, salt()) for private in draft.private)
    digests = {p.name: d.digest for p, d in zip(draft.private, told, strict=True)}
    disclosures = (*told, *fresh)
    entry: dict[str, object] = {
        "v": "1", "log": place.log, "i": place.i, "ts": stamp(place.ts), "type": draft.type,
        "actor": _actor(draft.actor, refs),
    }  # fmt: skip
    if draft.case is not None:
        entry |= {"case": draft.case, "case_seq": place.seq}
        if place.prev is not None:
            entry["case_prev"] = place.prev.hex()
    if draft.on_behalf_of is not None:
        entry["on_behalf_of"] = refs[draft.on_behalf_of]
    entry |= {key: _named(n) for key, n in (("runbook", draft.runbook), ("policy", draft.policy)) if n}
    if draft.data:
        entry["data"] = {key: _plain(value, refs, digests) for key, value in draft.data.items()}
    if disclosures:
        entry |= {"_sd": sorted(d.digest for d in disclosures), "_sd_alg": "sha-256"}
    data = canonical(entry)
    return HashedEntry(data, leaf_hash(data), disclosures)


def disclose(private: Private, salt: bytes) -> Disclosure:
    """RFC 9901: base64url of `[salt, name, value]`; its digest is base64url of SHA-256 over that text."""
    if len(salt) != 16:
        raise EntryError("A salt has 16 bytes.")
    value = private.value if isinstance(private.value, str) else dict(private.value)
    for part in (value,) if isinstance(value, str) else value.values():
        _text(part)
    text = b64(json.dumps([b64(salt), private.name, value], ensure_ascii=False).encode())
    return Disclosure(b64(hashlib.sha256(text.encode()).digest()), text, private.subject)


def disclosed(text: str) -> tuple[str, str]:
    """Name and value of a disclosure's text; a value that is an object as JSON."""
    _, name, value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return str(name), value if isinstance(value, str) else json.dumps(value)


def introduce(person: Person, salt: bytes) -> tuple[str, Disclosure]:
    """A pseudonym, and the disclosure `person` with the identity, for the first entry that names them.

    The pseudonym is random like its salt, and bound to that disclosure (`pseudonym_of`): of several people that one entry
    names for the first time, it is proven which is which.
    """
    mapping = disclose(Private("person", str(person), person), salt)
    return pseudonym_of(mapping.text), mapping


def pseudonym_of(disclosure: str) -> str:
    """`sub_` and the first 128 bits of the disclosure's SHA-256 in base 32, lower case."""
    return "sub_" + base64.b32encode(hashlib.sha256(disclosure.encode()).digest()[:16]).decode().rstrip("=").lower()


def canonical(entry: Json) -> bytes:
    """RFC 8785 bytes of an entry; raises EntryError for whatever the format has no room for.

    The standard library writes most of them: several times as fast as `rfc8785`, which writes what is of a derived type.
    """
    plain = _check(entry)
    try:
        data = compact(entry) if plain else rfc8785.dumps(entry)  # type: ignore[arg-type]
    except (UnicodeEncodeError, rfc8785.CanonicalizationError):  # nothing else is left that either could refuse
        raise EntryError(_HALF) from None
    if len(data) > MAX_BYTES:
        raise EntryError(f"An entry holds at most {MAX_BYTES} bytes; this one would have {len(data)}.")
    return data


def compact(entry: Json) -> bytes:
    """Compact JSON with sorted keys: RFC 8785 byte for byte where keys are ASCII and there are no floats, no nulls, only
    integers that a double holds, and only builtin types. Nothing is checked. Raises UnicodeEncodeError."""
    return _COMPACT.encode(entry).encode()


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _actor(actor: Actor, refs: Mapping[Person, str]) -> dict[str, str]:
    if actor.person is None:
        return {"kind": actor.kind}
    return {"kind": actor.kind, "ref": refs[actor.person], "party": actor.party}


def _named(named: FileDigest) -> dict[str, str]:
    return {"id": named.id, "sha256": named.sha256}


def _plain(value: object, refs: Mapping[Person, str], digests: Mapping[str, str]) -> object:
    if type(value) in _ATOMS:
        return value
    if isinstance(value, Person):
        return refs[value]
    if isinstance(value, Disclosed):
        return digests[value.name]
    if isinstance(value, Mapping):
        return {key: _plain(item, refs, digests) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, refs, digests) for item in value]
    return stamp(value) if isinstance(value, datetime) else value


def _check(value: object) -> bool:
    """No floats, no nulls, small integers, ASCII keys, text that is Unicode; whether all of it is of builtin types.

    A lone surrogate in a plain `str` is left to the encoder.
    """
    kind = type(value)
    if kind is str or kind is bool:
        return True
    if kind is int:
        _small(value)  # type: ignore[arg-type]
        return True
    if kind is dict:
        plain = True
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(key) is not str or not key.isascii():
                plain &= _key(key)
            if type(item) is not str:
                plain &= _check(item)
        return plain
    if kind is list or kind is tuple:
        return min(map(_check, value), default=True)  # type: ignore[call-overload]  # looks at every item
    _derived(value)
    return False


def _derived(value: object) -> None:
    """The same for what is not of a builtin type itself."""
    if isinstance(value, str):
        _text(value)
    elif isinstance(value, int):
        _small(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _key(key)
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    else:
        raise EntryError(f"The log holds no {type(value).__name__}.")


def _key(key: object) -> bool:
    if type(key) is str and key.isascii():
        return True
    if not (isinstance(key, str) and key.isascii()):
        raise EntryError(f"Keys in the log are ASCII; {key!r} is not.")
    return False


def _small(value: int) -> None:
    if not -_MAX_INT < value < _MAX_INT:
        raise EntryError("A number in the log is smaller than 2^53.")


def _text(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise EntryError(_HALF) from None


def persons_in(draft: LogEvent) -> tuple[Person, ...]:
    """Everybody the sealed entry names by pseudonym, in the order of naming, each once."""
    found: list[Person] = [p for p in (draft.actor.person, draft.on_behalf_of) if p is not None]

    def walk(value: object) -> None:
        if type(value) in _ATOMS:
            return
        if isinstance(value, Person):
            found.append(value)
        elif isinstance(value, Mapping):
            for item in value.values():
                walk(item)
        elif isinstance(value, list | tuple):
            for item in value:
                walk(item)

    walk(draft.data)
    return tuple(dict.fromkeys(found))

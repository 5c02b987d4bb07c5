"""Accepted policy sets: which, since when, and the bytes of every file they ever had."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from bot.domain.authority.endorsement import Endorsement, Given
from bot.domain.case.transition import Endorsed
from bot.domain.errors import StorageError
from bot.domain.policy.model import PolicyFile
from bot.domain.policy.people import Person
from bot.domain.workflow.providers.contract_notices import Notice
from bot.ports.records import StoredPolicy
from storage.session import Row, Session
from storage.values import moment, ms


def accept(session: Session, policy: StoredPolicy, replaced_binds_until: datetime | None) -> None:
    """Stores the set; it is the last accepted from `accepted_at` on, unless it was so already. The one before it binds until
    `replaced_binds_until`; None: it is not known and counts as binding."""
    for file in policy.files:
        session.run("put_blob", sha256=_checked(file.sha256, file.content), content=file.content)
        session.run("put_policy_file", digest=policy.digest, path=file.path, sha256=file.sha256)
    last_set = session.row("last_policy_set")
    if last_set is None or last_set["digest"] != policy.digest:
        if replaced_binds_until is not None:
            session.run("policy_set_binds_until", until_ms=ms(replaced_binds_until))
        session.run("insert_policy_set", digest=policy.digest, accepted_ms=ms(policy.accepted_at))


def last(session: Session) -> StoredPolicy | None:
    return _stored(session, session.row("last_policy_set"))


def binding(session: Session, now: datetime) -> list[StoredPolicy]:
    """The sets that bind what is asked for at `now` or any open question, oldest first, the one in force last."""
    found = (_stored(session, row) for row in session.rows("policy_history", now=ms(now)))
    return [policy for policy in found if policy is not None]


def endorse(session: Session, endorsed: Endorsed, now: datetime) -> None:
    """A change of the signing keys is endorsed."""
    pair = {"old": endorsed.old, "new": endorsed.new}
    for domain in endorsed.domains:
        session.run("put_endorsement", **pair, domain=domain, now=ms(now))
    if endorsed.until is not None:
        session.run("endorsed_binds_until", **pair, until_ms=ms(endorsed.until))


def endorsements(session: Session) -> tuple[Endorsement, ...]:
    """Every endorsement, oldest first."""
    rows = session.rows("endorsements")
    return tuple(Endorsement(row["from_digest"], row["to_digest"], row["domain"], moment(row["at_ms"])) for row in rows)


def endorsed_by(session: Session, old: str, new: str) -> tuple[Given, ...]:
    """Who endorsed a change, oldest first; the log is read only where somebody did."""
    if not any((one.old, one.new) == (old, new) for one in endorsements(session)):
        return ()
    rows = session.rows("entries_of_type", type="policy.endorsed")
    entries = [json.loads(row["data"]) for row in rows if row["data"] is not None]
    return tuple(_given(session, entry) for entry in entries if (entry["data"]["from"], entry["data"]["to"]) == (old, new))


def _given(session: Session, entry: Mapping[str, Any]) -> Given:
    row = session.row("person_of_ref", ref=entry["actor"]["ref"])
    by = Person("-", "-") if row is None else Person(row["team_id"], row["user_id"])
    return Given(by, datetime.fromisoformat(entry["ts"]), tuple(entry["data"]["domains"]))


def contract_grace(session: Session) -> dict[str, datetime] | None:
    """Until when each provider's end waits that was past at the first look; None before that look."""
    rows = {row["provider"]: moment(row["until_ms"]) for row in session.rows("contract_grace")}
    return {provider: until for provider, until in rows.items() if provider} if rows else None


def give_contract_grace(session: Session, providers: Iterable[str], until: datetime) -> None:
    """The first look."""
    for provider in ("", *providers):
        session.run("grant_contract_grace", provider=provider, until_ms=ms(until))


def contract_notices(session: Session) -> set[Notice]:
    """The notices of contract ends that were given."""
    return {
        (row["provider"], date.fromisoformat(row["last_day"]), row["seconds_before"])
        for row in session.rows("contract_notices")
    }


def give_contract_notices(session: Session, notices: Iterable[Notice]) -> int:
    """Notes them; returns how many were new."""
    return sum(
        session.run("give_contract_notice", provider=provider, last_day=str(day), seconds_before=before)
        for provider, day, before in notices
    )


def ended_providers(session: Session) -> dict[str, datetime]:
    """Providers that two people ended, and when."""
    return {str(row["provider"]): moment(row["ended_ms"]) for row in session.rows("ended_providers")}


def domain_owners(session: Session) -> dict[str, str]:
    """Who owned each domain with dated owners at the last look, as `TEAM/USER`; "": nobody."""
    return {str(row["domain"]): str(row["owner"]) for row in session.rows("domain_owners")}


def by_digest(session: Session, digest: str) -> StoredPolicy | None:
    return _stored(session, session.row("policy_set", digest=digest))


def beginning(session: Session, digits: str) -> list[str]:
    """The digests of accepted sets that begin with these hexadecimal digits, the newest first."""
    return list(
        dict.fromkeys(str(row["digest"]) for row in session.rows("policy_sets_beginning", low=digits, high=digits + "g"))
    )


def file_by_hash(session: Session, sha256: str) -> bytes | None:
    """Raises StorageError if the stored bytes are not those that were accepted."""
    row = session.row("blob", sha256=sha256)
    if row is None:
        return None
    content: bytes = row["content"]
    _checked(sha256, content)
    return content


def _stored(session: Session, row: Row | None) -> StoredPolicy | None:
    if row is None:
        return None
    files = [
        PolicyFile(f["path"], _checked(f["sha256"], f["content"]), f["content"])
        for f in session.rows("policy_files", digest=row["digest"])
    ]
    files.sort(key=lambda file: file.path.encode())
    until = row["binds_until_ms"]
    return StoredPolicy(row["digest"], moment(row["accepted_ms"]), tuple(files), None if until is None else moment(until))


def _checked(sha256: str, content: bytes) -> str:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StorageError(f"A policy file is not the one whose SHA-256 is {sha256}: restore the database from a backup.")
    return sha256

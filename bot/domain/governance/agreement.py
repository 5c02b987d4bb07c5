"""The matrix as an agreement: what a row is, who agrees to it, what a change of it gives, and what counts until then.

A row is a runbook of a domain, or the risk statement of a domain. What is agreed is its digest: who asks, decides, is required,
right, kind, quorum, durations, break-glass, review; never bodies, hints or pages.
- The owner agrees; the risk owner too where the row requires them, and to the risk statement. A lead's answer is only recorded.
- A change that only takes away needs no confirmation: the answer on the row before holds.
- `hold`: what a change gives a provider counts only once confirmed. Until then the row is the stricter of what was agreed and what
  is new. An emergency that could be asked for before can always be asked for.
- A dispute narrows its row at once: an autonomous right needs a yes, a break-glass waits for one.
Silence changes nothing. Source: governance-contract.md, section 1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.authority.comparison_rules import words
from bot.domain.authority.policy_comparison import LADDER, PROVIDER, RUNBOOK
from bot.domain.authority.policy_rollout import gains, stricter_provider, stricter_runbook
from bot.domain.policy.model import Domain, Policy, Runbook
from bot.domain.policy.people import Person

Word = Literal["confirmed", "acknowledged", "disputed"]
AgreeingRole = Literal["owner", "risk_owner", "lead"]
GATHER = 24 * 3600  # seconds of policy time in which changes become one message
_RISK = "domain:"


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One row of the matrix as it is now. `key` is the runbook's id, or `domain:` and the domain's for its risk statement."""

    key: str
    domain: str
    digest: str

    @property
    def runbook(self) -> str:
        return "" if self.key.startswith(_RISK) else self.key


@dataclass(frozen=True, slots=True)
class Spoken:
    """The last answer of a person on a row as it was then."""

    key: str
    digest: str
    person: Person
    role: AgreeingRole
    word: Word
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stored of a row. `base`: the last set under which it counted wholly; "": none. `open`: it has not been agreed
    since it gave something. `asked_at`, `due_at`: the present round; `overdue`: that nobody answered in time was entered."""

    key: str
    domain: str
    digest: str
    base: str
    open: bool
    since: datetime
    agreed_at: datetime | None = None
    asked_at: datetime | None = None
    due_at: datetime | None = None
    overdue: bool = False


def matrix_rows(policy: Policy) -> dict[str, MatrixRow]:
    """Every row by its key."""
    found = [MatrixRow(r.id, r.domain, _digest(_runbook_content(policy, r))) for r in policy.runbooks.values()]
    stated = (domain for domain in policy.domains.values() if domain.risk_statement)
    found += [MatrixRow(_RISK + d.id, d.id, _digest([_deciders(d), d.risk_statement])) for d in stated]
    return {row.key: row for row in found}


def set_digest(rows: Iterable[MatrixRow]) -> str:
    """One digest of several rows: what somebody saw when they confirmed."""
    return _digest(sorted([row.key, row.digest] for row in rows))


def agreeing(policy: Policy, row: MatrixRow) -> tuple[tuple[Person, AgreeingRole], ...]:
    """Who has to agree to a row."""
    domain = policy.domains[row.domain]
    runbook = policy.runbooks.get(row.runbook)
    asks_risk = domain.risk_owner is not None and (runbook is None or "risk_owner" in runbook.requires)
    both: list[tuple[Person, AgreeingRole]] = [(domain.owner, "owner")]
    if asks_risk and domain.risk_owner is not None and domain.risk_owner != domain.owner:
        both.append((domain.risk_owner, "risk_owner"))
    return tuple(both)


def role_in(policy: Policy, row: MatrixRow, person: Person) -> AgreeingRole | None:
    """In which role somebody's answer on a row counts or is recorded; None: not at all."""
    held = next((role for who, role in agreeing(policy, row) if who == person), None)
    if held is not None and policy.provider_of(person) is None:
        return held
    runbook, provider = policy.runbooks.get(row.runbook), policy.provider_of(person)
    leads = (
        provider is not None and runbook is not None and provider.id in runbook.providers and provider.leads_include(person)
    )
    return "lead" if leads else None


def own_rows(policy: Policy, person: Person) -> tuple[MatrixRow, ...]:
    """The rows on which somebody may answer, in the order of the policy."""
    return tuple(row for row in matrix_rows(policy).values() if role_in(policy, row, person) is not None)


def gives(old: Policy, new: Policy, row: MatrixRow) -> bool:
    """Whether a changed row lets anybody do more than it did. A risk statement is read again whenever it changes."""
    before, after = old.runbooks.get(row.runbook), new.runbooks.get(row.runbook)
    if before is None or after is None or before.domain != after.domain:
        return True
    asked = (id_ for id_ in after.providers if id_ in old.providers and id_ in new.providers)
    ladders = old.escalation_policies, new.escalation_policies
    known = (ladder.get(after.escalation or "") for ladder in ladders)
    one, other = known
    people = any(gain.people for gain in gains(old, new) if gain.domain.id == row.domain)
    more = bool(words(RUNBOOK, before, after)) or any(words(PROVIDER, old.providers[p], new.providers[p]) for p in asked)
    return people or more or (one is not None and other is not None and bool(words(LADDER, one, other)))


def adopted(old: Policy | None, new: Policy, stored: Mapping[str, Standing], now: datetime) -> tuple[Standing, ...]:
    """What is known of each row once `new` is in force. `old`: the set before, None at the very first load.

    Where the set before asked for no agreement nothing that it gave is held.
    """
    if new.agreement is None:
        return ()
    was = matrix_rows(old) if old is not None else {}
    return tuple(_adopted(old, new, row, was.get(row.key), stored.get(row.key), now) for row in matrix_rows(new).values())


def carried(
    old: Policy | None, new: Policy, stored: Mapping[str, Standing], spoken: Iterable[Spoken]
) -> tuple[Spoken, ...]:
    """The words on rows of which `new` only takes away, as words on what is left. A dispute ends with a changed file."""
    was, now = matrix_rows(old) if old is not None else {}, matrix_rows(new)
    return tuple(
        replace(word, digest=now[word.key].digest)
        for word in spoken
        if word.word != "disputed" and word.key in now and word.key in was and old is not None
        and stored[word.key].digest == word.digest == was[word.key].digest != now[word.key].digest
        and not gives(old, new, now[word.key])
    )  # fmt: skip


def _adopted(
    old: Policy | None, new: Policy, row: MatrixRow, was: MatrixRow | None, known: Standing | None, now: datetime
) -> Standing:
    if known is not None and known.digest == row.digest:
        return replace(known, domain=row.domain)
    narrower = old is not None and was is not None and (was == row or not gives(old, new, row))
    if known is None:  # never asked about
        base = new.digest if narrower else old.digest if old is not None and was is not None else ""
        return Standing(row.key, row.domain, row.digest, base, open=True, since=now)
    if narrower and was is not None and known.digest == was.digest:  # an answer on more holds for less
        base = known.base if known.open else new.digest
        return replace(known, digest=row.digest, domain=row.domain, base=base)
    since = known.since if known.open and known.asked_at is None else now
    return Standing(row.key, row.domain, row.digest, known.base, open=True, since=since, agreed_at=known.agreed_at)


def disputed(spoken: Iterable[Spoken], row: MatrixRow) -> bool:
    """Whether somebody who has to agree disputes a row as it is now. A lead's answer is only recorded."""
    return any(s.word == "disputed" and s.role != "lead" and (s.key, s.digest) == (row.key, row.digest) for s in spoken)


def is_agreed(policy: Policy, row: MatrixRow, spoken: Iterable[Spoken], since: datetime | None = None) -> bool:
    """Whether everybody who has to has confirmed a row as it is now, and nobody disputes it. `since`: in this round."""
    mine = [s for s in spoken if (s.key, s.digest) == (row.key, row.digest) and (since is None or s.at >= since)]
    said = {s.person for s in mine if s.word == "confirmed"}
    return all(person in said for person, _ in agreeing(policy, row)) and not disputed(mine, row)


def as_counted(policy: Policy, unconfirmed: Mapping[str, Policy | None], disputes: Iterable[str]) -> Policy:
    """The set as it counts for requests. `unconfirmed`: the rows that are held, each with the set under which it counted
    last; None: it never counted. `disputes`: the rows that are disputed."""
    counted = ((r.id, unconfirmed.get(r.id, policy)) for r in policy.runbooks.values())
    known = (base.runbooks.get(id_) for id_, base in counted if base is not None)
    settled = {provider for runbook in known if runbook is not None for provider in runbook.providers}
    runbooks = dict(policy.runbooks)
    providers = dict(policy.providers)
    for key, base in unconfirmed.items():
        runbook = runbooks.get(key)
        if runbook is None:
            continue
        runbooks[key] = _held(runbook, base, settled)
        if base is not None:
            asking = (id_ for id_ in runbook.providers if id_ in providers)
            providers |= {id_: stricter_provider(base.providers.get(id_), providers[id_]) for id_ in asking}
    for key in disputes:
        if key in runbooks:
            runbooks[key] = _narrowed(policy, runbooks[key])
    return replace(policy, runbooks=runbooks, providers=providers)


def with_a_yes(policy: Policy) -> Policy:
    """The set with nothing but emergencies, and none of them before a yes: what is left where it is not known what counted."""
    emergencies = (
        r for r in policy.runbooks.values() if r.kind in ("emergency_access", "finding") and r.right != "autonomous"
    )
    return replace(policy, runbooks={r.id: replace(r, break_glass=None) for r in emergencies})


def _held(runbook: Runbook, base: Policy | None, settled: set[str]) -> Runbook:
    """A runbook of which something is not confirmed. One that never counted can only be asked for in an emergency, for a yes,
    by providers of which other rows count."""
    was = base.runbooks.get(runbook.id) if base is not None else None
    if was is not None:
        return stricter_runbook(was, runbook)
    emergency = runbook.kind in ("emergency_access", "finding") and runbook.right != "autonomous"
    asking = tuple(id_ for id_ in runbook.providers if emergency and id_ in settled)
    return replace(runbook, break_glass=None, providers=asking)


def _narrowed(policy: Policy, runbook: Runbook) -> Runbook:
    """What is left of a disputed row: nothing without a yes."""
    if runbook.right != "autonomous":
        return replace(runbook, break_glass=None)
    domain = policy.domains.get(runbook.domain)
    ladder = runbook.escalation or (domain.default_escalation if domain else None) or policy.default_escalation
    shortest = min(policy.escalation_policies.values(), key=lambda e: e.expires_after, default=None)
    ladder = ladder or (shortest.id if shortest else None)
    return replace(runbook, right="approval", escalation=ladder, providers=runbook.providers if ladder else ())


def due_rows(policy: Policy, stored: Iterable[Standing], now: datetime, scale: float) -> Iterator[Standing]:
    """The rows that somebody is to be asked about now: changed ones once they have gathered, agreed ones when their time is
    over, and those that nobody answered for that time. A first load asks at once."""
    rules = policy.agreement
    listed = list(stored)
    if rules is None:
        return
    changed = [s for s in listed if s.open and s.asked_at is None]
    first = bool(changed) and all(s in changed and s.agreed_at is None for s in listed)
    gathered = first or any(s.since + timedelta(seconds=GATHER / scale) <= now for s in changed)
    again = timedelta(seconds=rules.every / scale)
    for standing in listed:
        lapsed = not standing.open and standing.agreed_at is not None and standing.agreed_at + again <= now
        silent = standing.open and standing.asked_at is not None and standing.asked_at + again <= now
        if (standing in changed and gathered) or (lapsed and standing.asked_at is None) or silent:
            yield standing


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _deciders(domain: Domain) -> list[object]:
    terms = [f"{t.person} {t.first} {t.last}" for t in domain.terms] or [str(domain.owner)]
    return [domain.id, terms, [str(p) for p in domain.deputies], str(domain.risk_owner), domain.on_call]


def _runbook_content(policy: Policy, runbook: Runbook) -> list[object]:
    domain = policy.domains[runbook.domain]
    rota = policy.rotas.get(domain.on_call or "")
    ladder = policy.escalation_policies.get(runbook.escalation or "")
    glass, limit = runbook.break_glass, runbook.limit
    quota = glass.quota if glass else None
    return [
        runbook.id, runbook.kind, runbook.right, runbook.approvals, sorted(runbook.requires),
        [_askers(policy, id_) for id_ in sorted(runbook.providers)], _deciders(domain),
        [str(p) for p in rota.people] if rota else [],
        [runbook.max_duration, runbook.default_duration, runbook.rotate_within, runbook.not_before, runbook.due_within],
        [ladder.expires_after, [[s.after, s.action, s.role] for s in ladder.steps]] if ladder else None,
        [limit.count, limit.per] if limit else None,
        [glass.ratify_within, [quota.count, quota.per] if quota else None] if glass else None,
        [runbook.review_within, runbook.review_every], list(runbook.targets),
    ]  # fmt: skip


def _askers(policy: Policy, provider_id: str) -> list[object]:
    provider = policy.providers.get(provider_id)
    asking = sorted(f"{ref.user}:{sorted(ref.teams)}" for ref in provider.requesters) if provider else []
    return [provider_id, asking]

"""The log entries of a grant: its opening, its prolongation, its end, and the evidence due after it.

One function an entry type. Source: decision-log.md, the table of types.
"""

from __future__ import annotations

from datetime import datetime

from bot.domain.authority.quorum import Count
from bot.domain.case.ask import Vote
from bot.domain.case.model import Case, Grant
from bot.domain.case.transition import CLOCK, SYSTEM, Actor, Disclosed, LogEvent, Private, Value
from bot.domain.decision_log.entry import stamp
from bot.domain.decision_log.events import actor, of_case
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person


def grant_opened(case: Case, policy: Policy, person: Person | None, grant: Grant) -> tuple[LogEvent, ...]:
    """The grant; with a policy exception also the exception and its date. `person` None: its quorum was met before, and the
    clock opened it."""
    who = actor(policy, person) if person else CLOCK
    data: dict[str, Value] = {"seconds": grant.seconds, "not_after": stamp(grant.not_after)}
    drafts = (of_case("grant.opened", who, case.request, policy, data),)
    if not case.dated:
        return drafts
    until: dict[str, Value] = {"until": stamp(grant.not_after)}
    return (*drafts, of_case("exception.opened", who, case.request, policy, until))


def grant_lapsed(case: Case, policy: Policy, grant: Grant) -> LogEvent:
    return _ended(case, policy, CLOCK, grant, "clock", ())


def grant_ended(case: Case, policy: Policy, who: Actor, grant: Grant, reason: str = "") -> LogEvent:
    """A person ended it: finished, unused or revoked; with the reason, if given."""
    private = (Private("reason", reason, who.person or case.request.requester),) if reason else ()
    return _ended(case, policy, who, grant, "attested", private)


def _ended(
    case: Case, policy: Policy, who: Actor, grant: Grant, closed_by: str, private: tuple[Private, ...]
) -> LogEvent:  # fmt: skip
    type_, data = end_of(case, grant, closed_by)
    return of_case(type_, who, case.request, policy, data, private=private)


def end_of(case: Case, grant: Grant, closed_by: str) -> tuple[str, dict[str, Value]]:
    """Type and data of the one end of a grant; an exception's has a type of its own, and names in `how` what other grants name in
    the type."""
    data: dict[str, Value] = {"seconds": grant.seconds, "not_after": stamp(grant.not_after), "closed_by": closed_by}
    if not case.dated:
        return f"grant.{grant.state}", data
    more: dict[str, Value] = {"until": stamp(grant.not_after), "how": str(grant.state)}
    return "exception.ended", data | more


def extended(case: Case, policy: Policy, vote: Vote, count: Count, grant: Grant | None) -> tuple[LogEvent, ...]:
    """One yes to an extension; `grant` where it completed the quorum."""
    data: dict[str, Value] = {
        "have": count.have, "need": count.need, "seconds": vote.seconds, "role": vote.role, "extends": True,
    }  # fmt: skip
    who = actor(policy, vote.person)
    if grant is None:
        return (of_case("request.approved", who, case.request, policy, data, on_behalf_of=vote.on_behalf_of),)
    until: dict[str, Value] = {"not_after": stamp(grant.not_after)}
    return (
        of_case("request.approved", who, case.request, policy, data | until, on_behalf_of=vote.on_behalf_of),
        _longer(case, policy, who, grant),
    )


def _longer(case: Case, policy: Policy, who: Actor, grant: Grant) -> LogEvent:
    end = stamp(grant.not_after)
    if case.dated:
        return of_case("exception.renewed", who, case.request, policy, {"seconds": grant.seconds, "until": end})
    return of_case("grant.extended", who, case.request, policy, {"seconds": grant.seconds, "not_after": end})


def handed_in(case: Case, policy: Policy, person: Person, type_: str, name: str, text: str) -> LogEvent:
    """Evidence came, or a rotation is attested."""
    private = (Private("evidence", text, person),) if text else ()
    data: dict[str, Value] = {"name": name, **({"digest": Disclosed("evidence")} if text else {})}
    return of_case(type_, actor(policy, person), case.request, policy, data, private=private)


def permit_issued(case: Case, policy: Policy, who: Actor, jti: str, audience: str, expires: datetime) -> LogEvent:
    """A permit is about to be signed; the permit itself is not stored."""
    data: dict[str, Value] = {"jti": jti, "aud": audience, "exp": stamp(expires)}
    return of_case("permit.issued", who, case.request, policy, data)


def executor(case: Case, policy: Policy, word: str, kind: str, detail: str) -> LogEvent:
    """The executor's answer, or that there is none (`failed`); `detail` is what it wrote."""
    private = (Private("detail", detail, case.request.requester),) if detail else ()
    data: dict[str, Value] = {"name": f"grant.{kind}", **({"digest": Disclosed("detail")} if detail else {})}
    data |= {"closed_by": "executor"} if word == "closed" else {}
    return of_case(f"executor.{word}", SYSTEM, case.request, policy, data, private=private)


def missing(case: Case, policy: Policy, name: str) -> LogEvent:
    return of_case("evidence.missing", CLOCK, case.request, policy, {"name": name})

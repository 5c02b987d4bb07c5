"""What is asked of accountable people without a request: two kinds of cases that nobody filed.

A **suspension** begins when the grant of a reset opens for somebody who holds authority: that authority is ignored
until another person accountable for the domain presses **Restore**. A **right** is an autonomous right under review: its
case lasts as long as the file that defines it, and every `review_every` asks the owner to **Keep** or to **Withdraw right**.

Both are cases like any other, so that their asks go through the one engine, their cards, commands and log entries are the
usual ones, and they survive a restart. Their requester is nobody and their provider none; they hold no grant.
- An ask that nobody answers closes, and the same is asked again at once: suspended stays suspended, overdue stays overdue.
- A right that was withdrawn is refused from that moment until its file changes. Silence withdraws nothing.
Design, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from bot.domain.authority.authorization import named_for, suspended, suspended_anywhere
from bot.domain.case.lifecycle import GrantState, RequestState, move_ask
from bot.domain.case.model import NOBODY, Case, Request, Terms
from bot.domain.case.transition import Transition
from bot.domain.decision_log import events
from bot.domain.policy.model import Domain, Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.timing.steps import over_window
from bot.domain.workflow import notifications
from bot.domain.workflow.asks.right import due, window

RESTORE_WITHIN = 4 * 3600  # seconds of policy time in which an answer is owed
_TITLE = 75


# Suspensions.


def suspending(act: Transition, policy: Policy, new_id: Callable[[], str], now: datetime) -> tuple[Transition, ...]:
    """The suspensions that belong to an act: none unless the grant of a reset opens in it for somebody with authority."""
    after = act.after
    if after is None or after.request.kind != "reset" or after.request.subject is None or not _opens(act):
        return ()
    named = tuple(_holds(policy, after.request.subject))
    held = named or tuple(_reads(policy, after.request.subject, after.request.domain))
    return tuple(
        _spared(after, policy, domain, person)
        if _last(policy, domain, person)
        else _suspension(after, policy, domain, person, new_id(), now)
        for domain, person in held
    )


def _last(policy: Policy, domain: Domain, person: Person) -> bool:
    """Whether nobody else named in the domain could say a yes: owner, deputies and on-call, those suspended aside."""
    rota = policy.rotas.get(domain.on_call or "")
    able = [
        p for p in (domain.owner, *domain.deputies, *(rota.people if rota else ())) if not suspended(policy, domain.id, p)
    ]
    return any(policy.humans.same(p, person) for p in able) and all(policy.humans.same(p, person) for p in able)


def _spared(reset: Case, policy: Policy, domain: Domain, person: Person) -> Transition:
    """The last person able to decide keeps the authority: this is logged, and the risk owner and the auditors are notified."""
    listed = dict.fromkeys((*([domain.risk_owner] if domain.risk_owner else []), *policy.auditors))
    text = (
        f"The credential of {policy.name_of(person)} was reset ({reset.id}). Their authority in {domain.name} is not suspended: nobody"
        " else could decide there. Look at what they decide until you are sure of the account, and name a deputy."
    )
    told = (p for p in listed if not policy.humans.same(p, person))
    says = tuple(notifications.answer(None, p, {}, "plain", text=text) for p in told)
    return Transition(None, None, (events.spared(reset, policy, domain.id, person),), says)


def _opens(act: Transition) -> bool:
    had = act.before is not None and act.before.grant is not None
    return not had and act.after is not None and act.after.grant is not None and act.after.grant.state is GrantState.OPEN


def _holds(policy: Policy, subject: Person) -> Iterator[tuple[Domain, Person]]:
    """The domains in which the human is named and not suspended yet, with the account that is named."""
    for domain in policy.domains.values():
        named = next((p for p in named_for(policy, domain) if policy.humans.same(p, subject)), None)
        if named is not None and suspended(policy, domain.id, named) is None:
            yield domain, named


def _reads(policy: Policy, subject: Person, domain_id: str) -> Iterator[tuple[Domain, Person]]:
    """An auditor who is named in no domain confirms what operators do all the same: the reset's own domain restores that."""
    auditor = next((p for p in policy.auditors if policy.humans.same(p, subject)), None)
    domain = policy.domains.get(domain_id)
    if auditor is not None and domain is not None and not suspended_anywhere(policy, auditor):
        yield domain, auditor


def _suspension(reset: Case, policy: Policy, domain: Domain, person: Person, id_: str, now: datetime) -> Transition:
    terms = Terms(scale=reset.request.terms.scale, signature=reset.request.terms.signature)
    ask = over_window("restore", 1, now, terms.real(RESTORE_WITHIN))
    request = replace(
        _request(id_, policy, domain.id, f"Restore authority: {domain.name}"[:_TITLE], terms, now, ask.expires_at),
        kind="reset", runbook=reset.request.runbook, runbook_sha256=reset.request.runbook_sha256, subject=person,
        matter="suspension",
    )  # fmt: skip
    case = Case(request, (ask,))
    says = (
        *notifications.channel_line(case, policy, "authority.suspended"),
        *notifications.to_suspended(case, "suspended"),
    )
    return Transition(None, case, (events.suspended(case, policy, reset.id),), says, now)


# Rights under review.


def begin(
    policy: Policy, runbook: Runbook, id_: str, now: datetime, scale: float, first: datetime | None = None
) -> Transition:
    """A right is under review from now on; `first`: when its first review is due, if an earlier file set it already."""
    assert runbook.review_every is not None
    terms = Terms(scale=scale, review_within=runbook.review_every, signature=runbook.signature)
    ask = over_window("right", 1, now, window(terms), first or now + terms.real(runbook.review_every))
    request = replace(
        _request(id_, policy, runbook.domain, runbook.title, terms, now, ask.expires_at),
        kind=runbook.kind, right="autonomous", runbook=runbook.id, runbook_sha256=runbook.sha256, matter="right",
    )  # fmt: skip
    case = Case(request, (ask,))
    return Transition(None, case, (events.right_begun(case, policy, due(case)),), wake_at=due(case))


def end(case: Case, policy: Policy) -> Transition:
    """The file that defines the right has changed or is gone: its open question closes."""
    ask = case.asks[-1]
    after = case.with_ask(replace(ask, state=move_ask(ask.state, "expire")))
    return Transition(case, after, (events.right_ended(after, policy),), refresh=True)


def stale(runbook: Runbook | None, sha256: str) -> bool:
    """Whether a right's case has outlived the file it began under."""
    return runbook is None or runbook.right != "autonomous" or runbook.review_every is None or runbook.sha256 != sha256


def _request(
    id_: str, policy: Policy, domain: str, title: str, terms: Terms, now: datetime, expires_at: datetime
) -> Request:
    return Request(
        id=id_, kind="reset", right="approval", runbook="", runbook_sha256="", policy_sha256=policy.digest, title=title,
        domain=domain, provider="", requester=NOBODY, target="", reason="", fields=(), seconds=0, filed_at=now,
        expires_at=expires_at, state=RequestState.OPENED, closed_at=now, terms=terms,
    )  # fmt: skip

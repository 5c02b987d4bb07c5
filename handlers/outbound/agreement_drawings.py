"""Drawings of the agreement on the matrix: a reader's own rows, as they are when it is sent."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.governance import agreement
from bot.domain.governance.agreement import MatrixRow
from bot.domain.governance.agreement_words import row_name
from bot.domain.governance.changes import differences
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.service.agreements import Agreements
from handlers.outbound.message_kinds import NO_LONGER_OPEN, Job, NewMessage, Outgoing
from handlers.views.governance.agreement import OwnMatrix, OwnRow, card, disputed_value, over
from handlers.views.kit.blocks import Message

_WORDS = {"confirmed": " · confirmed", "acknowledged": " · acknowledged", "disputed": " · disputed"}


async def new_agreement(out: Outgoing) -> Job:
    own = own_matrix(out.scene().policy, out.context.service.agreements, out.to)
    return NO_LONGER_OPEN if own is None or not own.left else NewMessage(out.to.user, card(own, out.scene()))


async def agreement_message(out: Outgoing) -> Message:
    """The rows as they are now: what was answered has its word, and the button goes with the last one."""
    own = own_matrix(out.scene().policy, out.context.service.agreements, out.to)
    return over() if own is None else card(own, out.scene())


def own_matrix(policy: Policy, agreements: Agreements, person: Person) -> OwnMatrix | None:
    """The rows on which somebody may answer; None where they have none, or nobody is asked."""
    rows = agreement.own_rows(policy, person)
    if policy.agreement is None or not rows:
        return None
    lead = policy.provider_of(person) is not None
    shown = tuple(_own_row(policy, agreements, row, person) for row in rows)
    left = sum(1 for row in rows if not agreements.settled(row, person))
    due = [known.due_at for row in rows if (known := agreements.state(row.key)) and known.due_at]
    return OwnMatrix(shown, agreement.set_digest(rows), left, lead, f"{min(due):%-d %b %Y}" if due else "")


def _own_row(policy: Policy, agreements: Agreements, row: MatrixRow, person: Person) -> OwnRow:
    known = agreements.state(row.key)
    mine = next((word.word for word in agreements.said(row) if word.person == person), "")
    base = agreements.bases.get(known.base) if known is not None else None
    changed = known is not None and known.open
    says = tuple(_sentences(base, policy, row)) if changed else ()
    held = changed and known is not None and known.base != policy.digest and policy.agreement is not None
    holds = held and policy.agreement is not None and policy.agreement.unconfirmed == "hold"
    value = disputed_value(row.key, agreement.set_digest([row]))
    return OwnRow(row_name(policy, row), says, value, changed, _WORDS.get(mine, ""), bool(holds), mine == "disputed")


def _sentences(base: Policy | None, policy: Policy, row: MatrixRow) -> list[str]:
    """What changed since the row counted last; of a new row how it reads."""
    if not row.runbook:
        return [f"“{policy.domains[row.domain].risk_statement}”"]
    old = base or _without(policy, row.runbook)
    concerns = [
        d.text for d in differences(old, policy) if d.runbook == row.runbook or (not d.runbook and row.domain in d.domains)
    ]
    return concerns or [d.text for d in differences(_without(policy, row.runbook), policy)]


def _without(policy: Policy, runbook: str) -> Policy:
    return replace(policy, runbooks={id_: r for id_, r in policy.runbooks.items() if id_ != runbook})

"""The requester asks for more time on what is open: **Extend**, or for an exception **Renew**.

Both open an ask by the runbook's own ladder and quorum, which ends with the grant at the latest. Design, section 4.
"""

from __future__ import annotations

from datetime import datetime

from bot.domain.case.ask import Ask, AskKind
from bot.domain.case.click import Click
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition, Value
from bot.domain.decision_log import events
from bot.domain.decision_log.entry import stamp
from bot.domain.policy.model import Policy
from bot.domain.timing import end_dates
from bot.domain.timing.escalation import Presence
from bot.domain.timing.steps import deadline, freeze
from bot.domain.workflow.asks import engine, extension, renewal
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.refusals import refuse
from bot.domain.workflow.wake import wake_at


def extend(case: Case, policy: Policy, click: Click, presence: Presence, now: datetime) -> Transition:
    """The requester asks for `click.seconds` more."""
    no = extension.may_extend(case, policy, click, now)
    if no is not None:
        return refuse(case, policy, click, no)
    return _asked(case, policy, click, presence, now, "extension", click.seconds, {})


def renew(case: Case, policy: Policy, click: Click, presence: Presence, now: datetime) -> Transition:
    """The requester asks for the exception until `click.until`."""
    no = renewal.may_renew(case, policy, click, now) or renewal.wrong_day(case, policy, click, now)
    if no is not None:
        return refuse(case, policy, click, no)
    assert click.until is not None
    longest = renewal.longest(case, policy.runbooks[case.request.runbook])
    until = end_dates.end(click.until, now, longest, case.request.terms.scale)
    seconds = end_dates.span(click.until, now, longest)
    return _asked(case, policy, click, presence, now, "renewal", seconds, {"until": stamp(until)})


def _asked(
    case: Case, policy: Policy, click: Click, presence: Presence, now: datetime,
    kind: AskKind, seconds: int, more: dict[str, Value],
) -> Transition:  # fmt: skip
    runbook, grant = policy.runbooks[case.request.runbook], case.grant
    assert grant is not None
    ladder, scale = policy.escalation_policies[runbook.escalation or ""], case.request.terms.scale
    ask = Ask(
        kind, max(a.version for a in case.asks) + 1, max(runbook.approvals, case.approval.need), runbook.requires, now,
        min(deadline(ladder, now, scale), grant.not_after), steps=freeze(runbook, ladder, now, scale, wide=False),
        seconds=seconds,
    )  # fmt: skip
    asked = case.with_ask(ask)
    who = events.actor(policy, click.person)
    draft = events.due(asked, policy, f"{kind}.asked", who, None, seconds=seconds, **more)
    effects = Effects(asked, (draft,)).then(engine.step(asked, ask, policy, presence, now))
    wake = wake_at(effects.case, policy, now)
    return Transition(case, effects.case, effects.drafts, effects.says, wake, grant.not_after, refresh=True)

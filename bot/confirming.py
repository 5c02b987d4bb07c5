"""A click on an operator's act: the account is looked up at the click, then the domain judges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.transition import Transition
from bot.domain.errors import LookupFailed
from bot.domain.operator import dual_control
from bot.domain.policy.model import Policy
from bot.domain.workflow import notifications
from bot.ports.commands import ConfirmOperatorAction
from bot.ports.store import Directory, Store

DECISION_AGE = 5.0  # seconds


async def pressed(
    store: Store, directory: Directory, policy: Policy, act: ConfirmOperatorAction, now: Callable[[], datetime]
) -> Transition:  # fmt: skip
    """What the click does. Where Slack does not say who somebody is, they are asked to press again."""
    click = Click(act.person, act.answer, 0, asdict(act.reply))
    found = await store.operator_act(act.id)
    if found is None:
        return dual_control.refuse_click(act.id, policy, click, Rejected(Refusal.STALE, "unknown_act", {"id": act.id}))
    try:
        profile = await directory.profile(act.person, DECISION_AGE)
    except LookupFailed:
        return Transition(None, None, says=(notifications.answer(None, act.person, click.reply, "again"),))
    return dual_control.press(found, policy, click, profile, now())

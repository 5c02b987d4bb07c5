"""Until when an answer to an ask after the approval counts, and the reply once it does not."""

from __future__ import annotations

from datetime import datetime

from bot.domain.authority.quorum import count, standing_yes
from bot.domain.case.ask import DIES_WITH_GRANT, Ask
from bot.domain.case.click import Refusal, Rejected
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.case.transition import epoch_ms
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.timing import cooling_off


def valid_before(case: Case, ask: Ask) -> datetime:
    """Until when an answer counts; an extension's or renewal's also only while the grant lasts."""
    if ask.kind in DIES_WITH_GRANT and case.grant is not None:
        return min(ask.expires_at, case.grant.not_after)
    return ask.expires_at


def takes_yes(case: Case, ask: Ask, policy: Policy, person: Person) -> bool:
    """Whether a yes of this person would add something now: theirs is not given already, the quorum of an approval has not been
    met, and its subject is verified. An earlier yes may be given again if the quorum has been met meanwhile."""
    given = standing_yes(case, ask, policy, person) is not None and not count(case, ask, policy).met
    early = ask.kind == "approval" and (bool(case.unverified()) or cooling_off.waits(case))
    return not given and not early


def answered_or_late(case: Case, ask: Ask, now: datetime) -> Rejected | None:
    """Why an ask after the yes takes no answer at `now`: it has one, or its time is over. None while it is open."""
    if ask.state is AskState.OPEN and now < valid_before(case, ask):
        return None
    if ask.state in (AskState.YES, AskState.NO) and ask.votes:
        last = ask.votes[-1]
        return Rejected(Refusal.LOST, "answered_already", {"by": str(last.person), "at": epoch_ms(last.at)})
    return Rejected(Refusal.LATE, "closed_already", {"at": epoch_ms(valid_before(case, ask))})

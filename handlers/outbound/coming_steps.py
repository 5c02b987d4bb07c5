"""What comes next on pending cases if nobody answers, for the views that say so: the engine's word, by who is there now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.domain.case.model import Case
from bot.domain.timing.steps import candidates
from bot.domain.workflow.timeline import Moment, ahead
from bot.service.approvals import ApprovalService
from handlers.views.facts import pending
from handlers.views.kit.context import ViewContext


async def with_ahead(service: ApprovalService, scene: ViewContext, cases: Iterable[Case]) -> ViewContext:
    """The view's context with the coming steps of the pending ones of these cases; people are looked up once a kind."""
    waiting = [case for case in cases if pending(case)]
    found: dict[str, Sequence[Moment]] = {}
    for kind in dict.fromkeys(case.request.kind for case in waiting):
        of_kind = [case for case in waiting if case.request.kind == kind]
        domains = dict.fromkeys(case.request.domain for case in of_kind)
        people = [person for domain in domains for person in candidates(service.current.policy, domain)]
        presence = await service.transactions.presence(people, kind)
        found |= {case.id: ahead(case, service.current.policy, presence) for case in of_kind}
    return replace(scene, ahead=found)

"""**Permit**: the requester's click makes one and shows it, once.

It goes from the signer into the form and nowhere else: no table stores it, and a person who closes the form and wants one
again presses again. Whoever may have none is answered by the worker.
"""

from __future__ import annotations

import structlog

from bot.domain.authority.authorization import Allowed
from bot.domain.case.click import Refusal, Rejected
from bot.domain.errors import CountersignError
from bot.ports.commands import Press
from bot.service.permits import Permit
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.listener import SlackEdge
from handlers.inbound.payloads import Body
from handlers.views.permits import no_permit, permit_page

log = structlog.get_logger(__name__)


async def show(edge: SlackEdge, body: Body) -> None:
    """The permit, while the trigger lives."""
    press = payloads.press(body)
    asked = ids.read_question(press.value)
    if asked is None:
        return
    try:
        allowed = await edge.service.actions.may_open(Press(press.person, *asked, "permit", press.reply, opens_form=True))
        if not isinstance(allowed, Allowed):
            return
        made = await edge.service.permit(asked[0], press.person)
    except CountersignError as error:
        log.error("permit.not_made", request=asked[0], error=str(error))
        made = Rejected(Refusal.STALE, "failed", {})
    scene = edge.scene()
    view = permit_page(asked[0], made, scene) if isinstance(made, Permit) else no_permit(made.sentence, made.params, scene)
    await edge.open_view(press, view)

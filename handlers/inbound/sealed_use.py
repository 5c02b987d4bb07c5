"""`/countersign sealed-use`: somebody of the organisation records, afterwards, that the organisation's own sealed path was used."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.policy.people import Person
from bot.domain.workflow import sealed_use as judged
from bot.ports.commands import RecordSealedUse, ReplyAddress
from bot.service import sealed_use
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.listener import Answer, Listener, SlackEdge
from handlers.inbound.payloads import Body
from handlers.views.dialogs import read_asked, said_page
from handlers.views.kit import wording

_FIELDS = {"at": ids.SEALED_AT, "what": ids.REASON, "reference": ids.SEALED_REFERENCE}


async def take_sealed(edge: SlackEdge, body: Body) -> Answer:
    """The form was submitted: errors are shown at their field; a valid one gets its id here."""
    sent = payloads.submission(body)
    entered = sent.sheet.entered
    reply = ReplyAddress(sent.person, "", read_asked(sent.sheet.metadata).channel)
    at, user = entered.get(ids.SEALED_AT, ""), entered.get(ids.SEALED_BY, "")
    if not (at.isascii() and at.isdigit() and len(at) <= 10):
        return {"response_action": "errors", "errors": {ids.SEALED_AT: wording.SEALED_WHEN}}
    if not user:
        return {"response_action": "errors", "errors": {ids.SEALED_BY: wording.SEALED_WHO}}
    policy = edge.policy
    home = policy.workspaces[0] if policy.workspaces else sent.person.team
    act = RecordSealedUse(
        edge.clock.request_id(), sent.person, entered.get(ids.SEALED_DOMAIN, ""), int(at), Person(home, user),
        entered.get(ids.REASON, ""), entered.get(ids.SEALED_REFERENCE, ""), reply,
    )  # fmt: skip
    wrong = judged.check(sealed_use.use_of(act), edge.clock.now())
    if wrong:
        return {"response_action": "errors", "errors": {_FIELDS[error.field]: error.text for error in wrong}}
    page = said_page(f"*{act.id}* is being recorded.")
    return await edge.take_in(sent.key, act, {"response_action": "update", "view": page})


SEALED_SUBMISSIONS: Mapping[str, Listener] = {ids.FORM_SEALED: Listener(take_sealed)}

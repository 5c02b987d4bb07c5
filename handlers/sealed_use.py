"""`/countersign sealed-use`: somebody of home records, afterwards, that the organisation's own sealed path was used."""

from __future__ import annotations

from collections.abc import Mapping

from bot import sealing
from bot.acts import Reply, Seal
from bot.domain import sealing as judged
from bot.domain.people import Person
from handlers import names, payloads
from handlers.edge import Answer, Edge, Listener
from handlers.payloads import Body
from handlers.views import wording
from handlers.views.dialogs import read_asked, said_page

_FIELDS = {"at": names.SEALED_AT, "what": names.REASON, "reference": names.SEALED_REFERENCE}


async def take_sealed(edge: Edge, body: Body) -> Answer:
    """The form was sent: errors stand at their field; what is in order gets its id here."""
    sent = payloads.submission(body)
    entered = sent.sheet.entered
    reply = Reply(sent.person, "", read_asked(sent.sheet.metadata).channel)
    at, user = entered.get(names.SEALED_AT, ""), entered.get(names.SEALED_BY, "")
    if not (at.isascii() and at.isdigit() and len(at) <= 10):
        return {"response_action": "errors", "errors": {names.SEALED_AT: wording.SEALED_WHEN}}
    if not user:
        return {"response_action": "errors", "errors": {names.SEALED_BY: wording.SEALED_WHO}}
    policy = edge.desk.policy
    home = policy.workspaces[0] if policy.workspaces else sent.person.team
    act = Seal(
        edge.desk.clock.request_id(), sent.person, entered.get(names.SEALED_DOMAIN, ""), int(at), Person(home, user),
        entered.get(names.REASON, ""), entered.get(names.SEALED_REFERENCE, ""), reply,
    )  # fmt: skip
    wrong = judged.check(sealing.use_of(act), edge.desk.clock.now())
    if wrong:
        return {"response_action": "errors", "errors": {_FIELDS[error.field]: error.text for error in wrong}}
    page = said_page(f"*{act.id}* is being recorded.")
    return await edge.take_in(sent.key, act, {"response_action": "update", "view": page})


SEALED_SUBMISSIONS: Mapping[str, Listener] = {names.FORM_SEALED: Listener(take_sealed)}

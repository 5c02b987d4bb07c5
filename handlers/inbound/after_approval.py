"""Buttons and forms of the time after the yes: more time, evidence, a flagged review.

**Finished** acts at the click; where the runbook owes evidence its form opens beside that, and may be closed: what is not
handed in stays owed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bot.domain.workflow.identity_proof import REFERENCE_MAX
from bot.ports.commands import Beside, Command, Decide, Decision, ReplyAddress, SaySentence
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.discussion import at_once, is_day, with_form
from handlers.inbound.listener import Answer, Listener, SlackEdge
from handlers.inbound.payloads import Body, Submission
from handlers.views.dialogs import DialogContext, read_asked
from handlers.views.kit import wording
from handlers.views.review_cards import evidence_form, extend_form, flag_form, reject_form, renew_form, verify_form

TEXT_MAX = 1000
_MOMENT = re.compile(r"[0-9]{9,10}")
_Made = Callable[[str, int, ReplyAddress], Command]


async def offer_evidence(edge: SlackEdge, body: Body) -> None:
    """The form for what the runbook will owe, for whoever ends their own request; it names what the request was filed with."""
    press = payloads.press(body)
    asked = ids.read_question(press.value)
    case = await edge.desk.store.case(asked[0]) if asked else None
    if case is None or case.request.requester != press.person or case.grant is None or not case.request.terms.evidence:
        return
    if not await edge.covered():
        return  # it stays owed, and a stopped log would not take it now
    await edge.open_view(press.trigger, evidence_form(DialogContext(press.value, press.reply.channel), case))


async def take_extend(edge: SlackEdge, body: Body) -> Answer:
    """More time was chosen."""
    sent = payloads.submission(body)
    seconds = sent.sheet.entered.get(ids.DURATION, "")
    if not (seconds.isascii() and seconds.isdigit() and 0 < len(seconds) < 10 and int(seconds) > 0):
        return {"response_action": "errors", "errors": {ids.DURATION: wording.LESS_WANTED}}
    return await _send(edge, sent, lambda c, v, r: Beside(sent.person, c, v, "extend", r, seconds=int(seconds)))


async def take_renew(edge: SlackEdge, body: Body) -> Answer:
    """A new date was chosen."""
    sent = payloads.submission(body)
    day = sent.sheet.entered.get(ids.UNTIL, "")
    if not is_day(day):
        return {"response_action": "errors", "errors": {ids.UNTIL: wording.DAY_WANTED}}
    return await _send(edge, sent, lambda c, v, r: Beside(sent.person, c, v, "renew", r, until=day))


async def take_evidence(edge: SlackEdge, body: Body) -> Answer:
    """Evidence was written."""
    sent = payloads.submission(body)
    text = sent.sheet.entered.get(ids.REASON, "").strip()
    if not text or len(text) > TEXT_MAX:
        return {"response_action": "errors", "errors": {ids.REASON: wording.TEXT_WANTED}}
    name = sent.sheet.entered.get(ids.EVIDENCE_NAME, "")
    return await _send(edge, sent, lambda c, v, r: Beside(sent.person, c, v, "evidence", r, text, name))


async def take_verified(edge: SlackEdge, body: Body) -> Answer:
    """A method by which the subject was verified is attested: its reference, and when it was done."""
    sent, now = payloads.submission(body), edge.desk.clock.now()
    entered = sent.sheet.entered
    text, chosen = entered.get(ids.REFERENCE, "").strip(), entered.get(ids.DONE_AT, "")
    if not text or len(text) > REFERENCE_MAX or "\n" in text:
        return {"response_action": "errors", "errors": {ids.REFERENCE: wording.REFERENCE_WANTED}}
    at = datetime.fromtimestamp(int(chosen), UTC) if _MOMENT.fullmatch(chosen) else now
    if at > now:
        return {"response_action": "errors", "errors": {ids.DONE_AT: wording.DONE_LATER}}
    name, when = entered.get(ids.METHOD, ""), at.isoformat()
    return await _send(edge, sent, lambda c, v, r: Beside(sent.person, c, v, "verify", r, text, name, at=when))


def with_note(decision: Decision) -> Listener:
    """A review is flagged, or a break-glass rejected, with its note."""

    async def take(edge: SlackEdge, body: Body) -> Answer:
        sent = payloads.submission(body)
        text = sent.sheet.entered.get(ids.REASON, "").strip()
        if not text or len(text) > TEXT_MAX:
            return {"response_action": "errors", "errors": {ids.REASON: wording.TEXT_WANTED}}
        return await _send(edge, sent, lambda c, v, r: Decide(sent.person, c, v, decision, r, text))

    return Listener(take)


async def _send(edge: SlackEdge, sent: Submission, act: _Made) -> Answer:
    asked = read_asked(sent.sheet.metadata)
    question, reply = ids.read_question(asked.question), ReplyAddress(sent.person, "", asked.channel)
    if question is None:
        return await edge.take_in(sent.key, SaySentence(sent.person, "unknown_button", "", reply))
    return await edge.take_in(sent.key, act(*question, reply))


AFTER_ACTIONS: Mapping[str, Listener] = {
    ids.EXTEND: with_form("extend", extend_form),
    ids.RENEW: with_form("renew", renew_form),
    ids.EVIDENCE: with_form("evidence", evidence_form),
    ids.FLAG: with_form("flag", flag_form),
    ids.REJECT: with_form("reject", reject_form),
    ids.ATTEST: at_once("attest"),
    ids.VERIFY: with_form("verify", verify_form),
}
AFTER_SUBMISSIONS: Mapping[str, Listener] = {
    ids.FORM_EXTEND: Listener(take_extend),
    ids.FORM_RENEW: Listener(take_renew),
    ids.FORM_EVIDENCE: Listener(take_evidence),
    ids.FORM_FLAG: with_note("flag"),
    ids.FORM_VERIFY: Listener(take_verified),
    ids.FORM_REJECT: with_note("reject"),
}

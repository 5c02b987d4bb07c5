"""**Confirm all N**, **Acknowledge** and **Dispute** on somebody's own rows of the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bot.domain.governance import agreement
from bot.domain.governance.agreement import MatrixRow
from bot.domain.governance.agreement_words import row_name
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.commands import AnswerMatrix, ReplyAddress, SaySentence
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.listener import Answer, Listener, SlackEdge, nothing
from handlers.inbound.payloads import Body
from handlers.views.dialogs import read_asked
from handlers.views.governance.agreement import dispute_form, read_value


def pressed(word: Literal["confirmed", "acknowledged"]) -> Listener:
    """One click for every row that was shown, or for the one that the reader disputed."""

    async def acknowledge(edge: SlackEdge, body: Body) -> Answer:
        press = payloads.press(body)
        row = _found(edge.policy, press.person, press.value) if ":" in press.value else None
        if row is None:
            return await edge.take_in(press.key, AnswerMatrix(press.person, word, press.value, press.reply))
        seen = agreement.set_digest([row])
        return await edge.take_in(press.key, AnswerMatrix(press.person, word, seen, press.reply, row.key))

    return Listener(acknowledge)


async def open_form(edge: SlackEdge, body: Body) -> None:
    """The form of a dispute, for a person whose agreement the row needs now."""
    press = payloads.press(body)
    policy = edge.policy
    row = _found(policy, press.person, press.value)
    if row is None:
        await edge.take_in(f"{press.key}:not_shown", SaySentence(press.person, "unknown_button", "", press.reply))
        return
    lead = policy.provider_of(press.person) is not None
    form = dispute_form(press.value, row_name(policy, row), press.reply.channel, lead=lead)
    await edge.open_view(press, form, takes_away=True)


async def take_form(edge: SlackEdge, body: Body) -> Answer:
    """The form was sent: a blank reason is an error in place."""
    sent = payloads.submission(body)
    asked = read_asked(sent.sheet.metadata)
    reason = sent.sheet.entered.get(ids.REASON, "").strip()
    if not reason:
        return {"response_action": "errors", "errors": {ids.REASON: "Say what is wrong with it."}}
    row, reply = _found(edge.policy, sent.person, asked.question), ReplyAddress(sent.person, "", asked.channel)
    if row is None:
        return await edge.take_in(sent.key, SaySentence(sent.person, "unknown_button", "", reply))
    seen = agreement.set_digest([row])
    return await edge.take_in(sent.key, AnswerMatrix(sent.person, "disputed", seen, reply, row.key, reason))


def _found(policy: Policy, person: Person, value: str) -> MatrixRow | None:
    key, digest = read_value(value)
    mine = (row for row in agreement.own_rows(policy, person) if row.key == key)
    return next((row for row in mine if len(digest) == 16 and agreement.set_digest([row]).startswith(digest)), None)


MATRIX_ACTIONS: Mapping[str, Listener] = {
    ids.MATRIX_CONFIRM: pressed("confirmed"),
    ids.MATRIX_ACKNOWLEDGE: pressed("acknowledged"),
    ids.MATRIX_DISPUTE: Listener(nothing, open_form),
}
MATRIX_SUBMISSIONS: Mapping[str, Listener] = {ids.FORM_DISPUTE: Listener(take_form)}

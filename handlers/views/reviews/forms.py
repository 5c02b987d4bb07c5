"""The forms behind the buttons of a running grant and of the asks after the yes."""

from __future__ import annotations

import json

from bot.domain.case.model import Case
from bot.domain.policy.field_values import key_in_words
from bot.domain.workflow.asks import extension
from bot.domain.workflow.identity_proof import REFERENCE_MAX
from bot.domain.workflow.identity_proof import said as methods
from handlers import ids
from handlers.views import facts
from handlers.views.dialogs import DialogContext, nothing_to_choose
from handlers.views.grant import name
from handlers.views.kit import before_the_yes, wording
from handlers.views.kit.blocks import (
    Block,
    input_block,
    modal,
    plain,
    section,
    select,
)
from handlers.views.kit.context import span
from handlers.views.kit.escaping import inline
from handlers.views.request_form import STEPS, day_block


def extend_form(asked: DialogContext, case: Case) -> Block:
    """How much more time."""
    room = extension.room(case)
    if room <= 0:
        return nothing_to_choose(wording.EXTEND, wording.NO_TIME_LEFT)
    fitting = [step for step in STEPS if step < room] + [room]
    choices = {str(step): span(step) for step in fitting}
    text = f"*{inline(case.id, 20)} · {facts.heading(case)}*\n{wording.EXTEND_MEANS}"
    element = select(ids.DURATION, choices, str(fitting[0]), "How much more?")
    blocks = [section(text), input_block(ids.DURATION, wording.DURATION, element)]
    return modal(ids.FORM_EXTEND, wording.EXTEND, blocks, submit=wording.SEND, close=wording.CANCEL, metadata=_meta(asked))


def renew_form(asked: DialogContext, case: Case) -> Block:
    """Until when an exception is to hold now."""
    text = f"*{inline(case.id, 20)} · {facts.heading(case)}*\n{wording.RENEW_MEANS}"
    blocks = [section(text), day_block(ids.UNTIL, "", case.request.terms.max_duration)]
    return modal(ids.FORM_RENEW, wording.RENEW, blocks, submit=wording.SEND, close=wording.CANCEL, metadata=_meta(asked))


def evidence_form(asked: DialogContext, case: Case) -> Block:
    """Which evidence, and the text, link or digest that it is."""
    owing = {duty.name: name(duty) for duty in case.owed() if duty.kind == "evidence"}
    ended = any(duty.kind == "evidence" for duty in case.duties)
    if not ended:  # Finished was pressed just now
        owing = {name: inline(key_in_words(name), 80) for name in case.request.terms.evidence}
    if not owing:
        return nothing_to_choose(wording.ADD_EVIDENCE, wording.NO_EVIDENCE_OWED)
    first = next(iter(owing), "")
    text: Block = {
        "type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": 1000,
        "placeholder": plain("A link, a SHA-256 of a file, or words", 150),
    }  # fmt: skip
    blocks = [
        section(f"*{inline(case.id, 20)} · {facts.heading(case)}*" + ("" if ended else f"\n{wording.FINISHED_NOW}")),
        input_block(ids.EVIDENCE_NAME, wording.EVIDENCE, select(ids.EVIDENCE_NAME, owing, first, "Which?")),
        input_block(ids.REASON, wording.EVIDENCE_TEXT, text, hint=wording.EVIDENCE_HINT),
    ]
    title = wording.ADD_EVIDENCE
    return modal(ids.FORM_EVIDENCE, title, blocks, submit=wording.HAND_IN, close=wording.CANCEL, metadata=_meta(asked))


def flag_form(asked: DialogContext, case: Case) -> Block:
    """What was not in order: the note of a review that is flagged."""
    return _note_form(asked, case, ids.FORM_FLAG, wording.FLAG, wording.FLAG_MEANS)


def reject_form(asked: DialogContext, case: Case) -> Block:
    """Why a break-glass should not have been."""
    return _note_form(asked, case, ids.FORM_REJECT, wording.REJECT, wording.REJECT_MEANS)


def verify_form(asked: DialogContext, case: Case) -> Block:
    """Which method, where it is found again, and when it was done."""
    missing = {name: inline(methods([name]), 80) for name in case.unverified()}
    if not missing:
        return nothing_to_choose(wording.ATTEST, wording.NOTHING_TO_ATTEST)
    reference: Block = {
        "type": "plain_text_input", "action_id": ids.REFERENCE, "max_length": REFERENCE_MAX,
        "placeholder": plain("Call 4711 to ward manager R. Ellis", 150),
    }  # fmt: skip
    blocks = [
        section(f"*{inline(case.id, 20)} · {facts.heading(case)}*\n{wording.VERIFY_MEANS}"),
        *before_the_yes.blocks(asked.body),
        input_block(ids.METHOD, wording.METHOD, select(ids.METHOD, missing, next(iter(missing), ""), "Which?")),
        input_block(ids.REFERENCE, wording.REFERENCE, reference, hint=wording.REFERENCE_HINT),
        input_block(
            ids.DONE_AT, wording.DONE_AT, {"type": "datetimepicker", "action_id": ids.DONE_AT}, optional=True,
            hint=wording.DONE_AT_HINT,
        ),
    ]  # fmt: skip
    return modal(
        ids.FORM_VERIFY, wording.ATTEST, blocks, submit=wording.ATTEST, close=wording.CANCEL, metadata=_meta(asked)
    )  # fmt: skip


def _note_form(asked: DialogContext, case: Case, callback: str, title: str, means: str) -> Block:
    text: Block = {"type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": 1000}
    blocks = [
        section(f"*{inline(case.id, 20)} · {facts.heading(case)}*\n{means}"),
        input_block(ids.REASON, wording.NOTE, text),
    ]
    return modal(callback, title, blocks, submit=title, close=wording.CANCEL, metadata=_meta(asked))


def _meta(asked: DialogContext) -> str:
    return json.dumps({"question": asked.question, "channel": asked.channel})

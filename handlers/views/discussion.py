"""The actions around a decision: the forms of Question, Answer, Escalate now and Approve for less, and their messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.authority.authorization import may_answer
from bot.domain.case.ask import Remark
from bot.domain.case.model import Case
from bot.domain.policy.people import Person
from bot.domain.timing import cooling_off
from bot.domain.workflow.asks.closing import takes_yes
from bot.domain.workflow.providers import asking_rights
from handlers import ids
from handlers.views import facts
from handlers.views.dialogs import DialogContext
from handlers.views.kit import signing, wording
from handlers.views.kit.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    input_block,
    message,
    modal,
    plain,
    section,
    select,
)
from handlers.views.kit.context import ViewContext, span, who
from handlers.views.kit.escaping import inline, quote
from handlers.views.kit.silence import silence
from handlers.views.kit.take_away import revoke, withdraw
from handlers.views.request_form import STEPS, day_block


@dataclass(frozen=True, slots=True)
class TextForm:
    """A form with one text: what it is called, what is typed in it."""

    deed: str
    callback: str
    title: str
    label: str
    send: str
    hint: str


_TOLD = frozenset({"question", "answer", "advice", "pass", "hold", "push"})
TEXT_FORMS: Mapping[str, TextForm] = {
    "question": TextForm(
        "question", ids.FORM_QUESTION, "Question", "Question", wording.SEND_QUESTION, "The deadline still applies. Everybody asked reads the answer."
    ),
    "answer": TextForm("answer", ids.FORM_ANSWER, "Answer", "Answer", "Answer", "Everybody who was asked reads it."),
    "push": TextForm(
        "push", ids.FORM_PUSH, "Escalate now", "Reason", "Escalate", "Once for each request: the next people are asked now."
    ),
}  # fmt: skip


def text_form(deed: str, asked: DialogContext, case: Case) -> Block:
    """The form of one of the deeds above."""
    form = TEXT_FORMS[deed]
    last = next((n for n in reversed(case.approval.notes) if n.kind == "question"), None)
    blocks = [section(f"*{inline(case.id, 20)} · {facts.heading(case)}*")]
    if deed == "answer" and last is not None:
        blocks.append(section(f"{who(last.person)} asks:\n{quote(last.text, 2000)}"))
    element: Block = {
        "type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": 1000,
        "placeholder": plain("In your own words", 150),
    }  # fmt: skip
    blocks.append(input_block(ids.REASON, form.label, element, hint=form.hint))
    return modal(form.callback, form.title, blocks, submit=form.send, close=wording.CANCEL, metadata=_metadata(asked))


def less_form(asked: DialogContext, case: Case) -> Block:
    """Less time than was asked for; never more, and nothing else changes."""
    if case.dated:
        return _less_by_day(asked, case)
    seconds = case.request.seconds
    fitting = [step for step in STEPS if step < seconds] or [max(seconds // 2, 1)]
    choices = {str(step): span(step) for step in fitting}
    said = f"*{inline(case.id, 20)} · {facts.heading(case)}*\nAsked for {span(seconds)}. If approvers differ, the shortest time applies."
    element = select(ids.DURATION, choices, str(fitting[-1]), "How long?")
    blocks = [section(said), input_block(ids.DURATION, wording.DURATION, element)]
    title = "Approve for less"
    return modal(ids.FORM_LESS, title, blocks, submit=wording.APPROVE, close=wording.CANCEL, metadata=_metadata(asked))


def _less_by_day(asked: DialogContext, case: Case) -> Block:
    """An earlier last day of an exception."""
    request = case.request
    latest = request.filed_at + timedelta(seconds=request.seconds)  # of policy: the day that was asked for
    said = f"*{inline(case.id, 20)} · {facts.heading(case)}*\nAsked for until {latest:%-d %b %Y}. If approvers differ, the earliest day applies."
    blocks = [section(said), day_block(ids.UNTIL, latest.date().isoformat(), request.seconds)]
    title = "Approve for less"
    return modal(ids.FORM_LESS, title, blocks, submit=wording.APPROVE, close=wording.CANCEL, metadata=_metadata(asked))


def deciding_buttons(case: Case, reader: Person, scene: ViewContext) -> Block | None:
    """The decision, as far as a press of this reader would count: no second yes, and none before the subject is verified.
    Once the quorum waits to open something only a no is left, and a revoke."""
    if not may_answer(case, case.approval, scene.policy, reader, takes_away=True):
        return None
    value = ids.question(case.id, case.approval.version)
    deny = button(wording.DENY, ids.DENY, value, "danger")
    if not may_answer(case, case.approval, scene.policy, reader):
        return actions(ids.BLOCK_DECIDE, deny)
    if cooling_off.waits(case):
        return actions(ids.BLOCK_DECIDE, deny, revoke(value))
    approve = button(wording.APPROVE, ids.APPROVE, value, "primary")
    approve = signing.yes_button(case, case.approval, scene, approve)
    return actions(ids.BLOCK_DECIDE, *([approve] if may_say_yes(case, reader, scene) else []), deny)


def may_say_yes(case: Case, reader: Person, scene: ViewContext) -> bool:
    """Whether an approval by this reader would count now. An earlier approval may be given again if the quorum has been met meanwhile."""
    able = signing.may_sign_here(case, case.approval, reader, scene)
    asks = asking_rights.lost(case, scene.policy, scene.now) is None
    return able and asks and takes_yes(case, case.approval, scene.policy, reader)


def beside_buttons(case: Case, reader: Person, scene: ViewContext) -> Block | None:
    """The second row of the card."""
    if not may_answer(case, case.approval, scene.policy, reader) or cooling_off.waits(case):
        return None
    value = ids.question(case.id, case.approval.version)
    held = bool(case.approval.noted("hold"))
    passed = any(note.person == reader for note in case.approval.noted("pass"))
    row = [
        *([button(wording.LESS, ids.LESS, value)] if may_say_yes(case, reader, scene) and not scene.sign else []),
        button(wording.QUESTION, ids.QUESTION, value),
        *([] if held else [button(wording.HOLD, ids.HOLD, value)]),
        *([] if passed else [button(wording.PASS, ids.PASS, value)]),
    ]
    return actions(ids.BLOCK_BESIDE, *row)


def story(case: Case, scene: ViewContext) -> list[str]:
    """Questions, answers and other actions around the decision, one line each, the newest last."""
    notes = [note for note in case.approval.notes if note.kind in _TOLD]
    return [line for note in notes[-8:] for line in _told(note, scene)]


def history(case: Case, scene: ViewContext) -> str:
    """One line: asks of this provider for this runbook in 7 days, and the last outcome."""
    request = case.request
    before, of = request.asks_before, scene.provider(request.provider)
    repeat = " *The same was denied within the last day.*" if request.denied_lately else ""
    if not before:
        return f"{of} asked for this for the first time this week.{repeat}"
    latest = f" (latest: {wording.STATES.get(request.last_outcome, request.last_outcome)})" if request.last_outcome else ""
    return f"{of} asked for this {before} other {'time' if before == 1 else 'times'} this week{latest}.{repeat}"


def lead_copy(case: Case, reader: Person, scene: ViewContext) -> Message:
    """A lead's copy, with **Withdraw**: their advice is shown to the owner, and is never a decision."""
    value, request = ids.question(case.id, case.approval.version), case.request
    opening = f"*{facts.heading(case)}*\n{who(request.requester)} asks {scene.length(case)}"
    typed = [f"*{wording.TARGET}:* {inline(request.target, 400)}", f"*{wording.REASON}:*"]
    typed += quote(request.reason, 2500).split("\n")
    standing = facts.outcome(case, scene) or silence(case, scene)
    mine = next((n for n in case.approval.noted("advice") if n.person == reader), None)
    said = [section(wording.YOUR_ADVICE[mine.advice])] if mine else []
    advise = [
        button(wording.RECOMMEND, ids.RECOMMEND, value),
        button(wording.ADVISE_AGAINST, ids.ADVISE_AGAINST, value),
    ]
    provider = scene.policy.providers.get(request.provider)
    leads = provider is not None and provider.leads_include(reader)
    row = actions(ids.BLOCK_LEAD, *advise, withdraw(value))
    buttons = [row, context(wording.ADVICE_IS_NO_DECISION)] if facts.pending(case) and leads else []
    after = [*facts.sections([standing, *facts.reasons(case)]), *said, *buttons, context(facts.footer(case))]
    text = [f"{case.id}: {facts.heading(case, 100)}", *typed, standing]
    return message("\n".join(text), [section(opening), *facts.sections(typed), *after])


def asked_question(case: Case) -> Message | None:
    """To the requester: every question that waits for an answer, with **Answer** while one can be given."""
    notes = case.approval.notes
    last = max((n for n, note in enumerate(notes) if note.kind == "answer"), default=-1)
    waiting = [note for note in notes[last + 1 :] if note.kind == "question"]
    head = f"{who(case.request.requester)} {case.id} · "
    if not case.approval.noted("question"):
        return None
    if not (waiting and facts.discussed(case)):
        over = "answered." if facts.discussed(case) else "the request is closed, no answer is needed any more."
        return message(f"{head}{over}", [section(f"{head}{over}")])
    asks = [f"{who(note.person)} asks:\n{quote(note.text, 1400)}" for note in waiting[-4:]]
    said = f"{head}{who(waiting[-1].person)} has a question. The deadline still applies."
    row = actions(ids.BLOCK_ANSWER, button("Answer", ids.ANSWER, ids.question(case.id, case.approval.version)))
    return message("\n".join([said, *asks]), [section(said), *(section(text) for text in asks), row])


def answered(case: Case, reader: Person) -> Message | None:
    """To everybody asked: the newest answer."""
    note = next(iter(reversed(case.approval.noted("answer"))), None)
    if note is None:
        return None
    said = f"{who(reader)} {case.id} · {who(note.person)} answers:"
    return message(f"{said}\n{quote(note.text, 1500)}", [section(said), section(quote(note.text, 2800))])


def _told(note: Remark, scene: ViewContext) -> list[str]:
    by, at = who(note.person), scene.at(note.at)
    if note.kind in ("question", "answer"):
        verb = "asked" if note.kind == "question" else "answered"
        return [f"{by} {verb} at {at}:", *quote(note.text, 600).split("\n")]
    if note.kind == "advice":
        return [f"{by} of the provider {'recommends it' if note.advice == 'for' else 'advises against it'} (no decision)."]
    if note.kind == "hold":
        return [f"*{by} is on it* since {at}."]
    if note.kind == "pass":
        return [f"{by} asked someone else at {at}; {by} may still decide."]
    return [f"{by} escalated at {at}:", *quote(note.text, 400).split("\n")]


def _metadata(asked: DialogContext) -> str:
    return json.dumps({"question": asked.question, "channel": asked.channel})

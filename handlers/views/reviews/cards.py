"""The asks after the yes as one reader sees them. A new kind is a row of `VIEWS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bot.domain.authority.authorization import is_barred, may_answer
from bot.domain.case.ask import Ask, AskKind
from bot.domain.case.click import Click
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.policy.people import Person
from bot.domain.timing import end_dates
from bot.domain.workflow.asks.closing import valid_before
from bot.domain.workflow.asks.kinds import KINDS
from handlers import ids
from handlers.views import facts, suspensions
from handlers.views.governance.campaigns import review_overdue
from handlers.views.grant import owed_lines
from handlers.views.kit import signing, wording
from handlers.views.kit.blocks import (
    Block,
    Message,
    actions,
    button,
    confirmed,
    context,
    message,
    section,
)
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline, quote
from handlers.views.kit.preview import ask_glance

Head: TypeAlias = Callable[[Case, Ask, ViewContext], tuple[str, list[str]]]
Silence: TypeAlias = Callable[[Ask, ViewContext], str]


def ask_card(case: Case, ask: Ask, reader: Person, scene: ViewContext) -> Message:
    """The card of an ask after the yes, for one reader."""
    head, lines = VIEWS[ask.kind].head(case, ask, scene)
    open_ = ask.state is AskState.OPEN and scene.now < valid_before(case, ask)
    standing = _open_standing(case, ask, reader, scene) if open_ else _answered(case, ask, scene)
    vote = ask.vote_of(reader)
    barred = not may_answer(case, ask, scene.policy, reader, takes_away=True)
    mine = open_ and not barred and (vote is None or vote.answer != "yes")
    if open_:
        lines = [*lines, *filter(None, [VIEWS[ask.kind].means(case)])]
        lines = [*lines, *([signing.line(case, ask, reader, scene)] if signing.needs_signature(case, ask, scene) else [])]
    row = (
        actions(ids.BLOCK_DECIDE, *_buttons(case, ask, reader, scene))
        if mine and _buttons(case, ask, reader, scene)
        else None
    )
    blocks = [section(head), *facts.sections([*lines, standing]), row, context(facts.footer(case))]
    first = [ask_glance(case, ask, scene)] if open_ else []
    return message("\n".join([*first, head, *lines, standing]), blocks)


def _buttons(case: Case, ask: Ask, reader: Person, scene: ViewContext) -> list[Block]:
    """The answers that this reader can give; the yes comes first."""
    value = ids.question(case.id, ask.version)
    made = [make(value) for make in VIEWS[ask.kind].buttons]
    yes = Click(reader, "approve", ask.version, {})
    hindered = KINDS[ask.kind].hindered(case, ask, scene.policy, yes, scene.now) is not None
    if hindered or not may_answer(case, ask, scene.policy, reader):
        return made[1:]  # what takes away is never hindered
    if not made or not signing.needs_signature(case, ask, scene):
        return made
    able = signing.may_sign_here(case, ask, reader, scene)
    return [*([signing.yes_button(case, ask, scene, made[0])] if able else []), *made[1:]]


def _open_standing(case: Case, ask: Ask, reader: Person, scene: ViewContext) -> str:
    """What an open ask waits for, for somebody who answers it, or need not."""
    vote = ask.vote_of(reader)
    if not may_answer(case, ask, scene.policy, reader):
        only_no = may_answer(case, ask, scene.policy, reader, takes_away=True)
        return f"{wording.SUSPENDED if only_no else wording.SOMEBODY_ELSE} {VIEWS[ask.kind].silence(ask, scene)}"
    given = f"You said yes at {scene.at(vote.at)}. " if vote is not None and vote.answer == "yes" else ""
    return given + VIEWS[ask.kind].silence(ask, scene)


def ask_at_home(case: Case, ask: Ask, scene: ViewContext) -> tuple[list[str], Block | None]:
    """The same for an App Home: its lines, and its buttons while it is open."""
    head, lines = VIEWS[ask.kind].head(case, ask, scene)
    if ask.state is not AskState.OPEN or scene.now >= valid_before(case, ask):
        return [head, _answered(case, ask, scene)], None
    value = ids.question(case.id, ask.version)
    row = actions(f"{ids.BLOCK_DECIDE}.{value}", *(make(value) for make in VIEWS[ask.kind].buttons))
    return [head, *lines, *filter(None, [VIEWS[ask.kind].means(case)]), VIEWS[ask.kind].silence(ask, scene)], row


def ask_reminder(case: Case, ask: Ask, reader: Person, scene: ViewContext) -> Message:
    """In the thread under the card; afterwards that no answer is needed."""
    what = KINDS[ask.kind].called
    over = ""
    if ask.state is not AskState.OPEN:
        over = f"the {what} is closed, {wording.NO_ANSWER_NEEDED}"
    elif ask.vote_of(reader) is not None:
        over = "you have answered."
    elif not may_answer(case, ask, scene.policy, reader, takes_away=True):
        over = wording.SOMEBODY_ELSE
    if over:
        said = f"{case.id} · {facts.heading(case)}: {over}"
        return message(said, [section(said)])
    said = f"{who(reader)} {case.id} · {facts.heading(case)}: the {what} still waits for your answer. {VIEWS[ask.kind].silence(ask, scene)}"
    return message(said, [section(said)])


def _review_head(case: Case, ask: Ask, scene: ViewContext) -> tuple[str, list[str]]:
    request = case.request
    if case.sealed:
        head = f"*Review: {facts.heading(case)}*\n{wording.SEALED_REVIEW}"
        return head, [*facts.asked_for(case, scene), facts.outcome(case, scene)]
    provider = scene.provider(request.provider)
    head = f"*Review: {facts.heading(case)}*\n{who(request.requester)} of *{provider}* asked for this. Was it in order?"
    lines = [
        f"*{wording.TARGET}:* {inline(request.target, 400)}",
        f"*{wording.REASON}:*",
        *quote(request.reason, 1500).split("\n"),
    ]
    lines.append(facts.outcome(case, scene))
    lines += owed_lines(case, scene)
    for note in (n for n in case.approval.notes if n.kind == "evidence"):
        lines += [f"{who(note.person)} handed in at {scene.at(note.at)}:", *quote(note.text, 600).split("\n")]
    return head, [line for line in lines if line]


def _ratification_head(case: Case, ask: Ask, scene: ViewContext) -> tuple[str, list[str]]:
    request = case.request
    asks = f"{who(request.requester)} of *{scene.provider(request.provider)}* opened this {scene.length(case)}"
    lines = [
        review_overdue(case, scene), *facts.asked_for(case, scene), facts.outcome(case, scene, ratify=False), facts.braked(ask, scene)
    ]  # fmt: skip
    return f"*{facts.heading(case)}*\n{asks}", [line for line in lines if line]


def _extension_head(case: Case, ask: Ask, scene: ViewContext) -> tuple[str, list[str]]:
    head = (
        f"*More time: {facts.heading(case)}*\n{who(case.request.requester)} asks for *{scene.lasting(ask.seconds)}* more."
    )
    return head, [*facts.asked_for(case, scene), facts.outcome(case, scene)]


def _renewal_head(case: Case, ask: Ask, scene: ViewContext) -> tuple[str, list[str]]:
    until = ask.opened_at + case.request.terms.real(ask.seconds)
    before = len(end_dates.renewals(case))
    head = f"*Renewal: {facts.heading(case)}*\n{who(case.request.requester)} asks for this exception until *{scene.day(until, ask.opened_at, ask.seconds)}*."
    of = f"Renewed {before} of {case.request.terms.max_renewals} times so far."
    return head, [*facts.asked_for(case, scene), facts.outcome(case, scene), of]


def _restore_head(case: Case, ask: Ask, scene: ViewContext) -> tuple[str, list[str]]:
    return f"*{facts.heading(case)}*", suspensions.suspension(case, scene)


def _right_head(case: Case, ask: Ask, scene: ViewContext) -> tuple[str, list[str]]:
    return f"*Review of a right: {facts.heading(case)}*", suspensions.right(case, scene)


def _lift_head(case: Case, ask: Ask, scene: ViewContext) -> tuple[str, list[str]]:
    return f"*{facts.heading(case)}*", suspensions.provider(case, scene)


def _closing_head(case: Case, ask: Ask, scene: ViewContext) -> tuple[str, list[str]]:
    over = f"The contract of *{scene.provider(case.request.provider)}* is over, and this exception of theirs still holds."
    return f"*Exception: {facts.heading(case)}*\n{over}", [*facts.asked_for(case, scene), facts.outcome(case, scene)]


def _answered(case: Case, ask: Ask, scene: ViewContext) -> str:
    last = ask.votes[-1] if ask.votes else None
    if last is None or ask.state is AskState.EXPIRED or ask.state is AskState.OPEN:
        return "*Closed without an answer.*"
    if ask.kind == "ratification":
        return ""  # shown in the outcome
    word = KINDS[ask.kind].said(str(ask.state))
    note = "".join("\n" + quote(n.text, 1500) for n in ask.notes if n.kind == "review")
    owner = last.on_behalf_of  # nobody answers on behalf of somebody who may not answer
    by = who(last.person) if owner and is_barred(case, ask, scene.policy, owner) else facts.voter(last)
    reason = "".join("\n" + line for line in facts.reason_of(ask, "denial"))
    return f"*{word}* by {by} at {scene.at(last.at)}.{note}{reason}"


def _owed_silence(ask: Ask, scene: ViewContext) -> str:
    return f"{_due(ask, scene)}If missed, the risk owner is told."


def _due(ask: Ask, scene: ViewContext) -> str:
    return f"Due {scene.at(ask.due_at)}. " if ask.due_at else ""


def _asked_again(stays: str) -> Silence:
    """Of a question that must be answered: what holds until it is."""
    return lambda ask, scene: f"{_due(ask, scene)}If missed, the risk owner is told, and it is asked again. {stays}"


def _nothing_changes(ends: str) -> Silence:
    """Of more time that was asked for: what comes without a yes."""
    return lambda ask, scene: f"Without an answer by {scene.at(ask.expires_at)} nothing changes: {ends}"


def _closing_silence(ask: Ask, scene: ViewContext) -> str:
    rest = "Close it, or have somebody who may ask file it again. If missed, it is overdue and holds until its date."
    return _due(ask, scene) + rest


@dataclass(frozen=True, slots=True)
class AskView:
    """One row: the card's head and lines, its buttons (the yes first), what the buttons do where that must be said, and what comes
    of no answer."""

    head: Head
    buttons: tuple[Callable[[str], Block], ...]
    silence: Silence = _owed_silence
    means: Callable[[Case], str] = lambda case: ""


_YES_NO: tuple[Callable[[str], Block], ...] = (
    lambda value: button(wording.APPROVE, ids.APPROVE, value, "primary"),
    lambda value: button(wording.DENY, ids.DENY, value, "danger"),
)
VIEWS: Mapping[AskKind, AskView] = {
    "ratification": AskView(
        _ratification_head,
        (
            lambda value: button(wording.RATIFY, ids.RATIFY, value, "primary"),
            lambda value: button(wording.REJECT, ids.REJECT, value, "danger"),
        ),
        means=lambda case: wording.RATIFY_MEANS,
    ),
    "review": AskView(
        _review_head,
        (
            lambda value: button(wording.ACCEPT, ids.ACCEPT, value, "primary"),
            lambda value: button(wording.FLAG, ids.FLAG, value, "danger"),
        ),
    ),
    "extension": AskView(_extension_head, _YES_NO, _nothing_changes("the approval ends at its time.")),
    "renewal": AskView(_renewal_head, _YES_NO, _nothing_changes("the exception ends on its date.")),
    "restore": AskView(
        _restore_head, (lambda value: button(wording.RESTORE, ids.RESTORE, value, "primary"),),
        _asked_again("The authority stays suspended without an answer."), suspensions.restore_means,
    ),
    "right": AskView(
        _right_head,
        (
            lambda value: button(wording.KEEP, ids.KEEP, value, "primary"),
            lambda value: confirmed(
                button(wording.WITHDRAW_RIGHT, ids.WITHDRAW_RIGHT, value, "danger"), wording.WITHDRAW_RIGHT,
                wording.WITHDRAW_RIGHT_MEANS,
            ),
        ),
        _asked_again("The right stays without an answer."), lambda case: suspensions.RIGHT_MEANS,
    ),
    "lift": AskView(
        _lift_head, (lambda value: button(wording.LIFT, ids.LIFT, value),),
        lambda ask, scene: "It stays suspended until an owner of the domain lifts it. Silence lifts nothing.",
        lambda case: suspensions.LIFT_MEANS,
    ),
    "closing": AskView(
        _closing_head, (lambda value: button(wording.CLOSE_EXCEPTION, ids.CLOSE_EXCEPTION, value, "danger"),), _closing_silence,
    ),
}  # fmt: skip

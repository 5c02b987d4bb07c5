"""What the requester sees: the receipt with its status line, the outcome in its thread, the runbook after a yes."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Case
from bot.domain.errors import TextFileError
from bot.domain.policy.handed_in import file_text
from bot.domain.timing import cooling_off
from bot.domain.workflow.timeline import Moment
from handlers import ids
from handlers.views import executor, facts, identity_proof, timeline
from handlers.views.grant import owed_lines, requester_buttons
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, Message, actions, button, context, markdown, message, section
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline, quote
from handlers.views.kit.silence import silence
from handlers.views.kit.take_away import withdraw


def receipt(case: Case, scene: ViewContext) -> Message:
    """The receipt: what was asked, its state, its history, what comes next, **Withdraw** while it is pending."""
    request = case.request
    opening = f"*{case.id} · {facts.heading(case)}*\nAsked at {scene.at(request.filed_at)}, {scene.length(case)}"
    told = [*facts.reasons(case), *timeline.so_far(case, scene)]
    blocks = [
        section(opening),
        section(f"*{wording.TARGET}:* {inline(request.target, 1100)}"),
        section(status(case, scene, listed=True)),
        *facts.sections(told),
        identity_proof.attest_button(case),
        *timeline.blocks(() if cooling_off.waits(case) else scene.coming(case), scene),
        _pending_buttons(case, scene.coming(case)) if facts.pending(case) else None,
        *facts.sections(owed_lines(case, scene)),
        requester_buttons(case, scene),
    ]
    text = [f"{case.id}: {facts.heading(case, 100)}", f"{wording.TARGET}: {inline(request.target, 400)}"]
    return message("\n".join([*text, status(case, scene), *told]), blocks)


def _pending_buttons(case: Case, moments: Sequence[Moment]) -> Block:
    """**Withdraw**; and **Escalate now**, once, while there is somebody left to ask."""
    value = ids.question(case.id, case.approval.version)
    left = any(moment.what == "ask" for moment in moments)
    push = left and not case.approval.noted("push") and not cooling_off.waits(case)
    return actions(ids.BLOCK_RECEIPT, withdraw(value), *([button(wording.PUSH, ids.PUSH, value)] if push else []))


def filed_by_host(case: Case, scene: ViewContext) -> Message:
    """To whom a request was filed for on the host, and to their leads: it was not their own hand; **Was not me** until it is over."""
    said = f"*{case.id} · {facts.heading(case)}* was filed for {who(case.request.requester)} by the host's operator, while Slack was down."
    text = f"{said}\n{status(case, scene)}\nIf nobody of you asked for it, press {wording.WAS_NOT_ME}: it ends at once."
    value = ids.question(case.id, case.approval.version)
    return message(
        text, [section(text), actions(ids.BLOCK_RECEIPT, button(wording.WAS_NOT_ME, ids.WAS_NOT_ME, value, "danger"))]
    )


def _again_button(case: Case) -> Block | None:
    """**Ask again**, after a no and after an expiry; on the outcome only, which is the newest message."""
    if str(case.request.state) not in ("denied", "expired"):
        return None
    value = ids.question(case.id, case.approval.version)
    return actions(ids.BLOCK_RECEIPT, button(wording.AGAIN, ids.AGAIN, value))


def status(case: Case, scene: ViewContext, *, listed: bool = False) -> str:
    """The state of the request: outcome, or who is asked, who next and when. `listed`: the coming steps are listed below,
    and are not repeated here."""
    if not facts.pending(case):
        return facts.outcome(case, scene)
    coming = "" if listed and scene.coming(case) else silence(case, scene)
    if case.finding is not None:
        return f"*Open.* {facts.asked_now(case, scene)} {coming}".rstrip()
    if cooling_off.waits(case):
        return "\n".join(identity_proof.lines(case, scene))
    parts = [
        "*Pending.*",
        facts.asked_now(case, scene),
        facts.tally(case, scene),
        coming,
        facts.braked(case.approval, scene),
    ]
    return "\n".join([" ".join(part for part in parts if part), *identity_proof.lines(case, scene)])


def outcome(
    case: Case, content: bytes | None, scene: ViewContext, reason: str = "", *, told_later: bool = False
) -> Message:
    """The outcome to the requester, in one message of its own, because an edit sends no notification. While access is open:
    until when, the runbook's body as approved, the buttons; afterwards how it ended and what is owed, for everything that
    said it is open is gone then. `content`: the runbook's file. `reason`: of a row that an older version wrote. `told_later`: a
    newer message tells the end, with what is due and its buttons, so that this one keeps only how it ended."""
    request = case.request
    head = f"{who(request.requester)} {case.id} · {facts.heading(case)}"
    if facts.access_open(case, scene):
        return _granted(case, f"{head}\n{facts.outcome(case, scene)}", content, scene)
    given = [f"*{wording.REASON}:*", *quote(reason, 3000).split("\n")] if reason.strip() and not case.cut_short else []
    told = facts.reasons(case) or given
    over = f"{facts.ended(case, scene)} {executor.standing(case, scene)}".strip()
    said = f"{head}\n{over or facts.outcome(case, scene)}"
    if told_later and over:
        return message(said, [section(said)])
    owing = [line for line in owed_lines(case, scene) if line.startswith("*Still due")]
    blocks = [section(said), *facts.sections([*told, *owing]), _again_button(case), requester_buttons(case, scene)]
    return message("\n".join([said, *told, *owing]), blocks)


def _granted(case: Case, head: str, content: bytes | None, scene: ViewContext) -> Message:
    """The outcome while access is open."""
    buttons, digest = requester_buttons(case, scene), inline(case.request.runbook_sha256, 64)
    if content is None:
        gone = f"The runbook's text is not stored here. Its SHA-256 is `{digest}`."
        return message(f"{head}\n{gone}", [section(head), section(gone), buttons])
    named = context(f"The runbook as approved. SHA-256 of the file: `{digest}`")
    return message(head, [section(head), markdown(body_of(content)), buttons, context(wording.BODY_ENDS), named])


def body_of(content: bytes) -> str:
    """A runbook's Markdown, without the front matter between its two lines `---`."""
    try:
        text = file_text(content)
    except TextFileError:
        text = content.decode("utf-8", "replace")
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return text.strip("\n")
    end = next((n for n, line in enumerate(lines) if n and line.rstrip() == "---"), None)
    return text.strip("\n") if end is None else "\n".join(lines[end + 1 :]).strip("\n")


def reminder(case: Case, person_mention: str, scene: ViewContext) -> Message:
    """A reply in the thread of the card, because an edit sends no notification."""
    said = f"{person_mention} {case.id} · {facts.heading(case)} still waits for your answer. {silence(case, scene)}"
    return message(said, [section(said)])


def deadline(case: Case, person_mention: str, scene: ViewContext) -> Message:
    """Shortly before the deadline, to everybody asked who has not answered."""
    ends = scene.at(case.approval.expires_at)
    said = f"{person_mention} {case.id} · {facts.heading(case)}: nobody has decided, and it expires at {ends}. Answer before; afterwards nothing opens."
    return message(said, [section(said)])


def no_answer_needed(case: Case, *, answered: bool, pending: bool) -> Message:
    """What a reminder says afterwards. `answered`: its reader has; `pending`: others are still asked."""
    over = f"{facts.state_word(case)}, {wording.NO_ANSWER_NEEDED}"
    if pending:
        over = "you have answered." if answered else wording.SOMEBODY_ELSE
    said = f"{case.id} · {facts.heading(case)}: {over}"
    return message(said, [section(said)])


def taken(case: Case, scene: ViewContext) -> Message:
    """To people who were asked and need not answer any more."""
    decided = "no answer is needed any more."
    if case.request.closed_by is not None and case.request.closed_at is not None:
        word = facts.state_word(case)
        decided = f"{word} by {who(case.request.closed_by)} at {scene.at(case.request.closed_at)}. {decided.capitalize()}"
    said = f"{case.id} · {facts.heading(case)}: {decided}"
    return message(said, [section(said)])


def announcement(case: Case, scene: ViewContext, event: str = "") -> Message:
    """To the domain's channel: id, title and state; never target, reason or fields. `event`: what else happened to it, in a
    line of its own that is not redrawn."""
    head = f"{case.id} · {facts.heading(case)}"
    state = wording.STATES.get(event, inline(event, 40)) if event else _channel_state(case, scene)
    said = f"{head}: {state}"
    return message(said, [section(said)])


def _channel_state(case: Case, scene: ViewContext) -> str:
    """The state in the channel's words, with who decided and until when it holds, or how it ended."""
    request, grant = case.request, case.grant
    word = facts.state_word(case)
    by = f" by {who(request.closed_by)}" if request.closed_by else ""
    if grant is None:
        return word + by
    if facts.access_open(case, scene):
        until = scene.day(grant.not_after, grant.opened_at, grant.seconds) if case.dated else scene.at(grant.not_after)
        return f"{word}{by}, until {until}"
    ended = grant.state if grant.state is not GrantState.OPEN else "lapsed"
    over_by = f" by {who(grant.ended_by)}" if grant.ended_by else " before its time" if case.cut_short else ""
    return f"{wording.STATES[str(ended)]}{over_by} at {scene.at(grant.ended_at or grant.not_after)}; it was {word}{by}"


def alarm(case: Case, role: str, why: str) -> Message:
    """To the channel and the risk owner: a named person's account is deactivated."""
    roles = {str(key): value for key, value in wording.ROLES.items()}
    step = f"the {roles.get(role, inline(role, 40))} could not be asked ({inline(why, 40)})"
    said = f"{case.id} · {facts.heading(case)}: {step}. Check the responsibility matrix."
    return message(said, [section(said)])

"""What the requester sees: the receipt with its status line, the outcome in its thread, the runbook after a yes."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.case.model import Case
from bot.domain.errors import TextFileError
from bot.domain.policy.handed_in import file_text
from bot.domain.timing import cooling_off
from bot.domain.workflow.timeline import Moment
from handlers import ids
from handlers.views import facts, identity_proof, timeline
from handlers.views.grant import owed_lines, requester_buttons
from handlers.views.kit import wording
from handlers.views.kit.blocks import Message, actions, button, context, markdown, message, section
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline, quote


def receipt(case: Case, scene: ViewContext, moments: Sequence[Moment] = ()) -> Message:
    """The receipt: what was asked, where it stands, what comes next, **Withdraw** while it is pending."""
    request = case.request
    opening = f"*{case.id} · {facts.heading(case)}*\nAsked at {scene.at(request.filed_at)}, {scene.length(case)}"
    value = ids.question(case.id, case.approval.version)
    pushed = bool(case.approval.noted("push"))
    withdraw = actions(
        ids.BLOCK_RECEIPT,
        button(wording.WITHDRAW, ids.WITHDRAW, value),
        *([] if pushed or cooling_off.waits(case) else [button(wording.PUSH, ids.PUSH, value)]),
    )
    again = actions(ids.BLOCK_RECEIPT, button(wording.AGAIN, ids.AGAIN, value))
    blocks = [
        section(opening),
        section(f"*{wording.TARGET}:* {inline(request.target, 1100)}"),
        section(status(case, scene)),
        identity_proof.attest_button(case),
        *timeline.blocks(() if cooling_off.waits(case) else moments, scene),
        withdraw if facts.pending(case) else again if str(request.state) in ("denied", "expired") else None,
        *facts.sections(owed_lines(case, scene)),
        requester_buttons(case, scene.policy),
    ]
    text = f"{case.id}: {facts.heading(case, 100)}\n{wording.TARGET}: {inline(request.target, 400)}\n{status(case, scene)}"
    return message(text, blocks)


def status(case: Case, scene: ViewContext) -> str:
    """One line on where the request stands: outcome, or who is asked, who next and when."""
    if not facts.pending(case):
        return facts.outcome(case, scene)
    if cooling_off.waits(case):
        return "\n".join(identity_proof.lines(case, scene))
    parts = ["*Pending.*", facts.asked_now(case, scene), facts.tally(case, scene), facts.silence(case, scene)]
    return "\n".join([" ".join(part for part in parts if part), *identity_proof.lines(case, scene)])


def outcome(case: Case, state: str, reason: str, scene: ViewContext) -> Message:
    """A message of its own to the requester, with a mention, because an edit sends no notification. `state` is what happened."""
    request = case.request
    if state in ("lapsed", "finished", "unused", "revoked") and case.grant is not None:
        ended = case.grant.ended_at or case.grant.not_after
        what = "exception" if case.dated else "approval"
        said = f"The {what} of {case.id} ended at {scene.at(ended)}."
    else:
        said = facts.outcome(case, scene)
    line = f"{who(request.requester)} {case.id} · {facts.heading(case)}\n{said}"
    if reason.strip():
        line += f"\n*{wording.REASON}:*"
    blocks = [section(line), *facts.sections(quote(reason, 5600).split("\n") if reason.strip() else [])]
    text = line + ("\n" + quote(reason, 1500) if reason.strip() else "")
    return message(text, blocks)


def body(case: Case, content: bytes | None, scene: ViewContext) -> Message:
    """After the yes: the runbook's body as approved, and until when."""
    grant = case.grant
    until = f" The approval holds until {scene.at(grant.not_after)}." if grant else ""
    head = f"*{facts.heading(case)}* · {case.id}: the runbook as approved.{until}"
    if content is None:
        gone = f"Its text is not stored here. Its SHA-256 is `{inline(case.request.runbook_sha256, 64)}`."
        return message(f"{head}\n{gone}", [section(head), section(gone)])
    digest = context(f"SHA-256 of the file: `{inline(case.request.runbook_sha256, 64)}`")
    return message(head, [section(head), markdown(body_of(content)), context(wording.BODY_ENDS), digest])


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
    said = f"{person_mention} {case.id} · {facts.heading(case)} still waits for your answer. {facts.silence(case, scene)}"
    return message(said, [section(said)])


def deadline(case: Case, person_mention: str, scene: ViewContext) -> Message:
    """Shortly before the deadline, to everybody asked who has not answered."""
    ends = scene.at(case.approval.expires_at)
    said = f"{person_mention} {case.id} · {facts.heading(case)}: nobody has decided, and it expires at {ends}. Do nothing: it expires, nothing opens."
    return message(said, [section(said)])


def taken(case: Case, scene: ViewContext) -> Message:
    """To people who were asked and need not answer any more."""
    said = f"{case.id} · {facts.heading(case)}: taken care of. {facts.outcome(case, scene)}"
    return message(said, [section(said)])


def announcement(case: Case, state: str) -> Message:
    """To the domain's channel: id, title and state; never target, reason or fields."""
    said = f"{case.id} · {facts.heading(case)}: {wording.STATES.get(state, inline(state, 40))}"
    return message(said, [section(said)])


def alarm(case: Case, role: str, why: str) -> Message:
    """To the channel and the risk owner: a named person's account is deactivated."""
    roles = {str(key): value for key, value in wording.ROLES.items()}
    step = f"the step for the {roles.get(role, inline(role, 40))} reached nobody ({inline(why, 40)})"
    said = f"{case.id} · {facts.heading(case)}: {step}. Check the responsibility matrix."
    return message(said, [section(said)])

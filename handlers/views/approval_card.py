"""The owner's card: a direct message that fits a phone, with everything that a decision needs and two buttons.

It is drawn for one reader from the state of the moment. Once decided it shows the outcome and has no decision button.
"""

from __future__ import annotations

from bot.domain.authority.authorization import may_answer
from bot.domain.case.model import Case
from bot.domain.policy.people import Person
from bot.domain.timing import cooling_off
from bot.domain.workflow.providers import asking_rights
from handlers.views import facts, identity_proof
from handlers.views.discussion import beside_buttons, deciding_buttons, history, story
from handlers.views.grant import revoke_button
from handlers.views.kit import signing, wording
from handlers.views.kit.blocks import Message, context, message, section
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline, quote
from handlers.views.kit.preview import glance
from handlers.views.kit.silence import silence


def card(case: Case, reader: Person, scene: ViewContext) -> Message:
    """The card as `reader` sees it."""
    open_ = facts.pending(case)
    blocks = [
        section(_opening(case, scene)),
        *facts.sections(facts.asked_for(case, scene)),
        section(_standing(case, reader, scene)),
        *facts.sections(facts.reasons(case)),
        deciding_buttons(case, reader, scene) if open_ else None,
        beside_buttons(case, reader, scene) if open_ else None,
        revoke_button(case, reader, scene),
        context(history(case, scene)),
        context(facts.footer(case)),
    ]  # fmt: skip
    return message(_text(case, reader, scene), blocks)


def _opening(case: Case, scene: ViewContext) -> str:
    request = case.request
    provider = scene.provider(request.provider)
    asks = f"{who(request.requester)} of *{provider}* asks {scene.length(case)}"
    return f"*{facts.heading(case)}*\n{asks}"


def _standing(case: Case, reader: Person, scene: ViewContext) -> str:
    if not facts.pending(case):
        return facts.outcome(case, scene)
    lines = [
        _suspended(case, reader, scene),
        _stands_in(case, reader, scene),
        facts.tally(case, scene),
        _own_yes(case, reader, scene),
        _asks_no_more(case, scene),
        *story(case, scene),
    ]
    lines += [f"*{wording.FILED_BY_HOST}*"] if case.request.by_host else []
    lines += [signing.line(case, case.approval, reader, scene)]
    lines += [*identity_proof.lines(case, scene, to_approver=True), facts.braked(case.approval, scene)]
    lines += [] if cooling_off.waits(case) else [silence(case, scene)]
    return "\n".join(line for line in lines if line)


def _suspended(case: Case, reader: Person, scene: ViewContext) -> str:
    """Said to people who may only give a no, and to people who were asked and may not decide any more."""
    may = [may_answer(case, case.approval, scene.policy, reader, takes_away=no) for no in (False, True)]
    return wording.SUSPENDED if may == [False, True] else "" if may[0] else wording.SOMEBODY_ELSE


def _stands_in(case: Case, reader: Person, scene: ViewContext) -> str:
    """The note for a person who is asked on the owner's behalf."""
    domain = scene.domain(case.request.domain)
    stands_in = any(r.person == reader and r.for_owner for r in case.approval.reached)
    return f"You are asked *on behalf of* {who(domain.owner)}." if domain and stands_in else ""


def _own_yes(case: Case, reader: Person, scene: ViewContext) -> str:
    vote = case.approval.vote_of(reader)
    return f"You said yes at {scene.at(vote.at)}." if vote and vote.answer == "yes" else ""


def _asks_no_more(case: Case, scene: ViewContext) -> str:
    """Why no yes is possible: a change of policy took the right to ask from the requester."""
    gone = asking_rights.lost(case, scene.policy, scene.now)
    return f"{gone} You can't approve. Deny it, or leave it: it expires." if gone else ""


def _text(case: Case, reader: Person, scene: ViewContext) -> str:
    """All of it as plain text, the glance first while there is something to decide."""
    request = case.request
    first = glance(case, scene) if facts.pending(case) else facts.outcome(case, scene)
    fields = [f"{inline(f.label, 40)}: {inline(f.value, 120)}" for f in request.fields[:10]]
    return "\n".join(
        [
            first,
            f"{case.id}: {who(request.requester)} asks: {facts.heading(case, 100)}",
            f"{wording.TARGET}: {inline(request.target, 250)}",
            *fields,
            f"{wording.REASON}:",
            quote(request.reason, 1200),
            _standing(case, reader, scene) if facts.pending(case) else "",
            *facts.reasons(case),
        ]
    ).strip()

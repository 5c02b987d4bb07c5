"""What people see of a finding: the card of the people asked, the filer's receipt, a lead's copy, and two forms."""

from __future__ import annotations

import json

from bot.domain.authority.authorization import may_answer, named_roles
from bot.domain.case.lifecycle import FindingState
from bot.domain.case.model import Case
from bot.domain.policy.people import Person
from handlers import ids
from handlers.views import facts, timeline
from handlers.views.dialogs import DialogContext
from handlers.views.discussion import story
from handlers.views.kit import finding, wording
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
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import cut, inline, one_line


def card(case: Case, reader: Person, scene: ViewContext) -> Message:
    """The card as `reader` sees it: **Acknowledge** while it is open, **Close** afterwards."""
    head = f"*{wording.FINDING}: {facts.heading(case)}*\n{finding.filer(case, scene)} reports this. No access is asked for."
    lines = finding.facts_of(case, scene)
    standing = _standing(case, scene)
    row = buttons(case, reader, scene)
    blocks = [section(head), *facts.sections([*lines, standing]), row, context(f"{wording.FINDING} {case.id}")]
    return message("\n".join([glance(case, scene), head, *lines, standing]), blocks)


def glance(case: Case, scene: ViewContext) -> str:
    """What a locked phone shows."""
    known = scene.policy.providers.get(case.request.provider)
    by = cut(one_line(known.name if known else scene.policy.organisation), 30)
    return inline(f"{wording.FINDING} of {by}: {cut(one_line(case.request.title), 50)}", 200) + f", {case.id}{scene.demo}"


def buttons(case: Case, reader: Person, scene: ViewContext) -> Block | None:
    """What this reader can do now; None where nothing."""
    value, state = ids.question(case.id, case.approval.version), case.request.state
    question = button(wording.QUESTION, ids.QUESTION, value)
    if state is FindingState.CLOSED or case.finding is None:
        return None
    domain = scene.domain(case.request.domain)
    sharing = not case.request.provider and not case.finding.shared and not case.finding.source
    may_share = domain is not None and reader in (domain.owner, *domain.deputies)
    share = [button(wording.SHARE, ids.SHARE, value)] if sharing and may_share else []
    if state is FindingState.ACKNOWLEDGED:
        if not named_roles(scene.policy, domain, reader):
            return None
        return actions(ids.BLOCK_DECIDE, button(wording.CLOSE, ids.CLOSE, value, "primary"), question, *share)
    if not may_answer(case, case.approval, scene.policy, reader):
        return None
    hold = [] if case.approval.noted("hold") else [button(wording.HOLD, ids.HOLD, value)]
    return actions(
        ids.BLOCK_DECIDE, button(wording.ACKNOWLEDGE, ids.ACKNOWLEDGE, value, "primary"), *hold, question, *share
    )


def at_home(case: Case, reader: Person, scene: ViewContext) -> tuple[list[str], Block | None]:
    """Its lines on an App Home, and its buttons."""
    head = f"*{case.id} · {wording.FINDING}: {facts.heading(case)}*\n{finding.filer(case, scene)} reports this."
    return [head, *finding.facts_of(case, scene), _standing(case, scene)], buttons(case, reader, scene)


def receipt(case: Case, scene: ViewContext) -> Message:
    """For the filer: its state, and **Correct time** until it is closed."""
    head = f"*{case.id} · {wording.FINDING}: {facts.heading(case)}*\nFiled at {scene.at(case.request.filed_at)}."
    lines, standing = finding.facts_of(case, scene), _standing(case, scene)
    value = ids.question(case.id, case.approval.version)
    open_ = case.request.state is not FindingState.CLOSED
    row = actions(ids.BLOCK_RECEIPT, button(wording.CORRECT, ids.CORRECT, value)) if open_ else None
    blocks = [section(head), *facts.sections([*lines, standing]), *timeline.blocks(scene.coming(case), scene), row]
    return message("\n".join([head, *lines, standing]), blocks)


def lead_copy(case: Case, scene: ViewContext) -> Message:
    """For a lead of the provider, to read."""
    head = f"*{wording.FINDING}: {facts.heading(case)}*\n{finding.filer(case, scene)} reports this."
    lines = [*finding.facts_of(case, scene), _standing(case, scene)]
    blocks = [section(head), *facts.sections(lines), context(f"{wording.FINDING} {case.id}")]
    return message("\n".join([head, *lines]), blocks)


def moved(case: Case, scene: ViewContext) -> Message:
    """To the filer: it was acknowledged, or closed."""
    said = f"{who(case.request.requester)} {case.id} · {facts.heading(case)}\n{finding.standing(case, scene)}"
    return message(said, [section(said)])


def reminder(case: Case, reader: Person, scene: ViewContext) -> Message:
    """In the thread under the card; afterwards its state."""
    if over := _standing_over(case, scene):
        return message(over, [section(over)])
    said = f"{who(reader)} {case.id} · {facts.heading(case)}: nobody has acknowledged this finding. {finding.silence(case, scene)}"
    return message(said, [section(said)])


def without_grant(case: Case, source: str, as_of: str, scene: ViewContext) -> Message:
    """To the requester of a grant whose access a list does not show; afterwards how it ended. A redraw has no `source`."""
    if not facts.access_open(case, scene):
        over = f"{case.id} · {facts.heading(case)}: {facts.ended(case, scene)}"
        return message(over, [section(over)])
    listed = f"the list of {inline(source, 80)} as of {inline(as_of, 40)}" if source else "a list of what exists"
    said = (
        f"{who(case.request.requester)} {case.id} · {facts.heading(case)}: your approval is open, and {listed} "
        "shows no such access. If you do not use it, press *Not used*."
    )
    return message(said, [section(said)])


def _standing_over(case: Case, scene: ViewContext) -> str:
    """One line once it is acknowledged; empty while it is not."""
    how = finding.standing(case, scene)
    return f"{case.id} · {facts.heading(case)}: {how}" if how else ""


def close_form(asked: DialogContext, case: Case) -> Block:
    """What was done; of a reconciliation's finding how it ended, too."""
    of_a_list = case.finding is not None and bool(case.finding.source)
    text: Block = {
        "type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": 1000,
        "placeholder": plain("What was done about it", 150),
    }  # fmt: skip
    blocks = [section(f"*{inline(case.id, 20)} · {facts.heading(case)}*\n{wording.CLOSE_MEANS}")]
    if of_a_list:
        choices = {name: said.capitalize() for name, said in wording.OUTCOMES.items()}
        blocks.append(input_block(ids.OUTCOME, wording.OUTCOME, select(ids.OUTCOME, choices, "", "How did it end?")))
    hint = f"{wording.NO_SECRETS} It is kept in the decision log."
    blocks.append(input_block(ids.REASON, wording.DONE, text, optional=of_a_list, hint=hint))
    title = wording.CLOSE_FINDING
    return modal(ids.FORM_CLOSE, title, blocks, submit=wording.CLOSE, close=wording.CANCEL, metadata=_meta(asked))


def correct_form(asked: DialogContext, case: Case) -> Block:
    """When it was noticed."""
    picker: Block = {"type": "datetimepicker", "action_id": ids.NOTICED_AT}
    if case.finding is not None:
        picker["initial_date_time"] = int(case.finding.noticed_at.timestamp())
    blocks = [
        section(f"*{inline(case.id, 20)} · {facts.heading(case)}*\n{wording.CORRECT_MEANS}"),
        input_block(ids.NOTICED_AT, wording.NOTICED, picker),
    ]
    title = wording.CORRECT
    return modal(ids.FORM_CORRECT, title, blocks, submit=wording.CORRECT, close=wording.CANCEL, metadata=_meta(asked))


def _standing(case: Case, scene: ViewContext) -> str:
    if case.request.state is not FindingState.OPEN:
        return finding.standing(case, scene)
    lines = [*story(case, scene), facts.asked_now(case, scene), finding.silence(case, scene)]
    return "\n".join(line for line in lines if line)


def _meta(asked: DialogContext) -> str:
    return json.dumps({"question": asked.question, "channel": asked.channel})

"""The other modals: Deny with its reasons, the last page after a filing, a page with only a message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.case.model import Case
from handlers import ids
from handlers.views import timeline
from handlers.views.facts import access_open, look_twice, pending
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, context, input_block, modal, plain, section, select
from handlers.views.kit.context import ViewContext, everyone
from handlers.views.kit.escaping import inline
from handlers.views.receipt import status


@dataclass(frozen=True, slots=True)
class DialogContext:
    """What a form is about: the button's value, and the conversation in which it was pressed. `body`: of the case's runbook,
    for a form that shows a part of it."""

    question: str
    channel: str
    body: str = ""


def deny_form(asked: DialogContext, case_id: str) -> Block:
    """Stock reasons and text; either is enough, none is preselected."""
    reasons = {reason: reason for reason in wording.STOCK_REASONS}
    text: Block = {
        "type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": 1000,
        "placeholder": plain("In your own words", 150),
    }  # fmt: skip
    blocks = [
        section(f"*{inline(case_id, 20)}.* {wording.DENY_FINAL}\n{wording.DENY_EITHER}"),
        input_block(
            ids.STOCK_REASON, wording.STOCK_REASON, select(ids.STOCK_REASON, reasons, placeholder="Choose one"),
            optional=True,
        ),
        input_block(ids.REASON, wording.REASON, text, optional=True, hint=wording.DENY_HINT),
    ]  # fmt: skip
    metadata = json.dumps({"question": asked.question, "channel": asked.channel})
    return modal(
        ids.FORM_DENY, f"{wording.DENY} {case_id}", blocks, submit=wording.DENY, close=wording.CANCEL, metadata=metadata
    )


def away_form(channel: str) -> Block:
    """When somebody who goes away is back."""
    picker: Block = {"type": "datepicker", "action_id": ids.BACK_ON, "placeholder": plain("Choose a day", 150)}
    blocks = [section(wording.AWAY_MEANS), input_block(ids.BACK_ON, wording.BACK_ON, picker)]
    metadata = json.dumps({"question": "", "channel": channel})
    return modal(ids.FORM_AWAY, wording.AWAY, blocks, submit=wording.AWAY, close=wording.CANCEL, metadata=metadata)


def read_asked(metadata: str) -> DialogContext:
    """What a form was about; empty where it cannot be read."""
    try:
        read = json.loads(metadata)
    except (ValueError, RecursionError):
        read = {}
    found = read if isinstance(read, dict) else {}
    question, channel = found.get("question", ""), found.get("channel", "")
    return DialogContext(question if isinstance(question, str) else "", channel if isinstance(channel, str) else "")


def filed_page(case_id: str) -> Block:
    """Shown with the acknowledgement: the id is visible at once."""
    return _last(f"*{case_id}* is filed.", wording.FILED_WAIT)


def filed_result(case: Case, scene: ViewContext) -> Block:
    """The same page when the worker has committed: who is asked now, who next and when; of a break-glass, who is paged."""
    note = wording.FILED_FINDING if case.finding else wording.FILED if pending(case) else wording.FILED_OPEN
    paged = f"\n*Paged now:* {everyone(case.asks[0].asked)}." if case.break_glass else ""
    doubt = "".join(f"\n{line}" for line in look_twice(case.request.target))
    said = f"*{case.id}* is filed.\n{status(case, scene, listed=True)}{paged}{doubt}"
    title = wording.NOW_OPEN if access_open(case, scene) else wording.FORM_TITLE
    return _last(said, note, timeline.blocks(scene.coming(case), scene), title)


def nothing_to_choose(title: str, text: str) -> Block:
    """In the place of a form that would have nothing to choose from: why, and what to do."""
    return modal(ids.FORM_FILED, title, [section(text)], close=wording.CLOSE)


def said_page(text: str) -> Block:
    """A page with one message; `text` is mrkdwn."""
    return _last(text, "")


def _last(text: str, note: str, more: Sequence[Block] = (), title: str = wording.FORM_TITLE) -> Block:
    blocks = [section(text), *more] + ([context(note)] if note else [])
    return modal(ids.FORM_FILED, title, blocks, close=wording.CLOSE)

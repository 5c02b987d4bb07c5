"""A use of the sealed path on screen: the form that records it, and the card of its review."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from bot.domain.case.model import Case
from bot.domain.workflow.sealed_use import REFERENCE_MAX, WHAT_MAX
from handlers import ids
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, input_block, modal, plain, section, select
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline, quote


def sealed_form(domains: Mapping[str, str], channel: str) -> Block:
    """Domain, when, who, what, reference. `domains`: those of the person, id to name."""
    only = next(iter(domains)) if len(domains) == 1 else ""
    users: Block = {"type": "users_select", "action_id": ids.SEALED_BY, "placeholder": plain("Choose a person", 150)}
    moment: Block = {"type": "datetimepicker", "action_id": ids.SEALED_AT}
    what: Block = {"type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": WHAT_MAX}
    reference: Block = {"type": "plain_text_input", "action_id": ids.SEALED_REFERENCE, "max_length": REFERENCE_MAX}
    blocks = [
        section(wording.SEALED_MEANS),
        input_block(ids.SEALED_DOMAIN, "Domain", select(ids.SEALED_DOMAIN, domains, only, "Which domain?")),
        input_block(ids.SEALED_AT, "When", moment),
        input_block(ids.SEALED_BY, "Who used it", users),
        input_block(ids.REASON, "What was done", what),
        input_block(ids.SEALED_REFERENCE, "Reference", reference, hint="A ticket, or where it is written down"),
    ]
    metadata = json.dumps({"question": "", "channel": channel})
    return modal(
        ids.FORM_SEALED, wording.SEALED_TITLE, blocks, submit=wording.RECORD, close=wording.CANCEL, metadata=metadata
    )


def outcome(case: Case, scene: ViewContext) -> str:
    """The one line that it has in the place of an outcome."""
    request = case.request
    return f"*Used without approval*, recorded by {who(request.requester)} at {scene.at(request.filed_at)}."


def facts_of(case: Case, scene: ViewContext) -> list[str]:
    """Who used it when, what was done, and its reference in another system."""
    request = case.request
    used = next((f.value for f in request.fields if f.name == "used_at" and f.value.isdecimal()), "")
    by = who(request.subject) if request.subject else "somebody"
    at = f" at {scene.at(datetime.fromtimestamp(int(used), UTC))}" if used else ""
    return [
        f"{by} used the sealed path{at}.",
        f"*Reference:* {inline(request.target, 400)}",
        "*What was done:*",
        *quote(request.reason, 3000).split("\n"),
    ]

"""The form that reports a finding: where, what, when it was noticed, and the runbook's own questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.policy.model import Runbook
from bot.domain.policy.people import Person
from bot.domain.workflow.filing_form import REASON_MAX, TARGET_MAX
from handlers import ids
from handlers.views import request_form
from handlers.views.form_fields import field_block
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, context, input_block, modal, select
from handlers.views.kit.context import ViewContext, who
from handlers.views.request_form import FormDraft


def form(
    draft: FormDraft,
    offered: Sequence[Runbook],
    scene: ViewContext,
    debt: str | None,
    left: str,
    away: Mapping[Person, str],
) -> Block:
    """The form of a draft: a finding's, or a request's, whose last three arguments `request_form.form` explains."""
    if draft.kind != "finding":
        return request_form.form(draft, offered, scene, debt, left, away)
    chosen = next((r for r in offered if r.id == draft.chosen), None)
    blocks = [_runbook(offered, chosen), _means(chosen, scene), _where(draft)]
    if draft.was_cut:
        blocks.append(context(wording.FORM_CUT, ids.BLOCK_NOTE))
    blocks += [_what(draft), _noticed(draft, scene)]
    blocks += [field_block(spec, chosen.id, draft.entered) for spec in chosen.fields[:80]] if chosen else []
    shown = frozenset(block["element"]["action_id"] for block in blocks if "element" in block)
    return modal(
        ids.FORM_ASK, wording.FINDING_NAME, blocks, submit=wording.REPORT, close=wording.CANCEL,
        metadata=request_form.write_metadata(draft, shown),
    )  # fmt: skip


def _runbook(offered: Sequence[Runbook], chosen: Runbook | None) -> Block:
    element = select(ids.RUNBOOK, {r.id: r.title for r in offered}, chosen.id if chosen else "", "What is it?")
    return input_block(ids.RUNBOOK, wording.RUNBOOK, element, dispatch=True)


def _means(chosen: Runbook | None, scene: ViewContext) -> Block:
    domain = scene.domain(chosen.domain) if chosen else None
    asked = f" {who(domain.owner)} is asked at once." if domain else ""
    return context(f"*{wording.NO_SECRETS}* No access is asked for.{asked}", ids.BLOCK_CONSEQUENCE)


def _where(draft: FormDraft) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": ids.TARGET_TEXT, "max_length": TARGET_MAX}
    return input_block(ids.TARGET_TEXT, wording.WHERE, _filled(element, draft), hint=wording.WHERE_HINT)


def _what(draft: FormDraft) -> Block:
    element: Block = {
        "type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": REASON_MAX,
    }  # fmt: skip
    return input_block(ids.REASON, wording.WHAT, _filled(element, draft), hint=wording.NO_SECRETS)


def _noticed(draft: FormDraft, scene: ViewContext) -> Block:
    """Now, unless something else was chosen."""
    held = draft.entered.get(ids.NOTICED_AT, "")
    at = int(held) if held.isascii() and held.isdigit() and len(held) == 10 else int(scene.now.timestamp())
    picker: Block = {"type": "datetimepicker", "action_id": ids.NOTICED_AT, "initial_date_time": at}
    return input_block(ids.NOTICED_AT, wording.NOTICED, picker, hint=wording.NOTICED_HINT)


def _filled(element: Block, draft: FormDraft) -> Block:
    text = draft.entered.get(element["action_id"], "")
    return element | {"initial_value": text[: element["max_length"]]} if text else element

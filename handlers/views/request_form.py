"""The form: runbook, what it does, target, reason, duration, and the runbook's own questions.

Choosing another runbook rebuilds it. Typed text survives, because text inputs keep their block_id and action_id and what
was typed is put back; choices that depend on the runbook carry its id and are reset. Text of a question that the chosen
runbook does not ask waits in `private_metadata` for the way back. Nothing in it is trusted at submission.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.policy.model import Domain, Kind, Role, Runbook
from bot.domain.policy.people import Person
from bot.domain.timing import end_dates
from bot.domain.timing.steps import people_of
from bot.domain.workflow.filing_form import REASON_MAX, TARGET_MAX, unfit, withdrawn
from handlers import ids
from handlers.views.facts import look_twice
from handlers.views.form_fields import field_block
from handlers.views.kit import before_the_yes, wording
from handlers.views.kit.blocks import Block, alert, context, input_block, modal, plain, select
from handlers.views.kit.context import ViewContext, everyone, span, who
from handlers.views.kit.escaping import inline

STEPS = (900, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 12 * 3600, *(days * 86400 for days in (1, 2, 3, 7, 14, 30, 60, 90, 180, 365)))  # fmt: skip
_METADATA_MAX = 3000
_NOBODY_AWAY: Mapping[Person, str] = {}


@dataclass(frozen=True, slots=True)
class FormDraft:
    """The form's current values, by action_id. `kind` limits the runbooks; `chosen` is one's id or empty."""

    kind: Kind | None
    chosen: str = ""
    entered: Mapping[str, str] = field(default_factory=dict)
    was_cut: bool = False
    door: str = ""


def form(
    draft: FormDraft,
    offered: Sequence[Runbook],
    scene: ViewContext,
    debt: str | None = None,
    left: str = "",
    away: Mapping[Person, str] = _NOBODY_AWAY,
) -> Block:
    """The form for somebody who may ask for `offered` (not empty). `debt`: why nothing opens at once, or can be
    had, under the chosen runbook now; `left`: how much of its limit is used; `away`: who cannot be asked now, and why."""
    chosen = next((r for r in offered if r.id == draft.chosen), None)
    glass = chosen is not None and opens_now(chosen, scene, debt)
    blocks = [_runbook(offered, chosen), _consequence(chosen, scene, debt, left, away)]
    blocks += before_the_yes.blocks(chosen.body) if chosen is not None else []
    blocks.append(_target(chosen, draft.entered))
    blocks += [context(line, ids.BLOCK_DOUBT) for line in look_twice(draft.entered.get(ids.TARGET_TEXT, ""))]
    if draft.was_cut:
        blocks.append(context(wording.FORM_CUT, ids.BLOCK_NOTE))
    blocks.append(_reason(draft.entered, _reason_hint(chosen, glass=glass)))
    if chosen is not None:
        blocks.append(
            _until(chosen, draft.entered, scene) if end_dates.is_dated(chosen) else _duration(chosen, draft.entered)
        )
        if chosen.subject_verification:
            blocks.append(_subject(draft.entered))
        blocks += [field_block(spec, chosen.id, draft.entered) for spec in chosen.fields[:80]]
    title = f"{wording.ICONS[draft.kind]} {wording.KINDS[draft.kind]}" if draft.kind else wording.FORM_TITLE
    return modal(
        ids.FORM_ASK, title, blocks, submit=wording.OPEN_NOW if glass else wording.SEND, close=wording.CANCEL,
        metadata=write_metadata(draft, _shown(blocks)),
    )  # fmt: skip


def durations(runbook: Runbook) -> tuple[int, ...]:
    """The choices in seconds: sensible steps up to the maximum, always with the default and the maximum."""
    fitting = {step for step in STEPS if step <= runbook.max_duration}
    return tuple(sorted(fitting | {runbook.default_duration, runbook.max_duration}))


def write_metadata(draft: FormDraft, shown: frozenset[str]) -> str:
    """Kind, and typed text that the form does not show now, as far as there is room."""
    kept = {key: text for key, text in draft.entered.items() if key not in shown and text and _is_text(key)}
    while True:
        written = json.dumps(
            {"kind": draft.kind, "cut": draft.was_cut, "kept": kept, "door": draft.door}, ensure_ascii=True
        )
        if len(written) <= _METADATA_MAX or not kept:
            return written
        kept.pop(max(kept, key=lambda key: len(kept[key])))


def read_metadata(text: str, entered: Mapping[str, str], chosen: str) -> FormDraft:
    """The draft of a form that came back: what it shows wins over what was kept."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        read = {}
    read = read if isinstance(read, dict) else {}
    kept = read.get("kept")
    held = {k: v for k, v in kept.items() if isinstance(v, str)} if isinstance(kept, dict) else {}
    kind = next((k for k in wording.KINDS if k == read.get("kind")), None)
    door = read.get("door")
    return FormDraft(kind, chosen, held | dict(entered), read.get("cut") is True, door if isinstance(door, str) else "")


def _reason_hint(chosen: Runbook | None, *, glass: bool) -> str:
    """Who reads the reason, and when."""
    if glass:
        return wording.GLASS_REASON_HINT
    nobody_decides = chosen is not None and chosen.right == "autonomous"
    return wording.STANDING_REASON_HINT if nobody_decides else wording.FORM_REASON_HINT


def _runbook(offered: Sequence[Runbook], chosen: Runbook | None) -> Block:
    choices = {r.id: r.title for r in offered}
    element = select(ids.RUNBOOK, choices, chosen.id if chosen else "", "What do you need?")
    return input_block(ids.RUNBOOK, wording.RUNBOOK, element, dispatch=True)


def opens_now(chosen: Runbook, scene: ViewContext, debt: str | None) -> bool:
    """Whether sending the form opens access at once, without a yes: break-glass."""
    return chosen.break_glass is not None and debt is None and not (unfit(chosen) or withdrawn(scene.policy, chosen))


def _asked_first(domain: Domain, away: Mapping[Person, str]) -> str:
    """The owner; or the first deputy present, and because of what."""
    why = away.get(domain.owner)
    instead = next((person for person in domain.deputies if person not in away), None)
    if why is None or instead is None:
        return who(domain.owner)
    reason = (
        f"the account of {who(domain.owner)} is deactivated" if why == "deactivated" else f"{who(domain.owner)} is away"
    )
    return f"{who(instead)} (because {reason})"


def _paged(chosen: Runbook, domain: Domain, scene: ViewContext) -> str:
    """Who is paged when a break-glass opens."""
    roles: tuple[Role, ...] = ("owner", *chosen.requires, "deputies", "on_call")
    people = [person for role in roles for person in people_of(role, scene.policy, domain, scene.now)]
    return everyone(list(dict.fromkeys(people)))


def _consequence(
    chosen: Runbook | None, scene: ViewContext, debt: str | None, left: str, away: Mapping[Person, str]
) -> Block:
    if chosen is None:
        return context(wording.FORM_CHOOSE, ids.BLOCK_CONSEQUENCE)
    unserved = unfit(chosen) or withdrawn(scene.policy, chosen) or (debt if chosen.break_glass is None else None)
    if unserved is not None:
        return context(inline(unserved, 1000), ids.BLOCK_CONSEQUENCE)
    domain = scene.domain(chosen.domain)
    owner = _asked_first(domain, away) if domain else "its owner"
    roles = [role for role in chosen.requires if role != "owner"]
    named = [domain.risk_owner] if domain and domain.risk_owner and "risk_owner" in roles else []
    more = " and ".join(wording.ROLES[r] for r in roles) + (f" {everyone(named)}" if named else "")
    glass = chosen.break_glass
    by = scene.at(scene.now + timedelta(seconds=glass.ratify_within / scene.scale)) if glass else ""
    earliest = scene.now + timedelta(seconds=(chosen.not_before or 0) / scene.scale)
    said = wording.consequence(chosen, owner, more, debt, by)
    said += (
        wording.before_it_opens(chosen, scene.at(earliest))
        + (f" {left}" if left else "")
        + (f" All times run fast{scene.demo}." if scene.demo else "")
    )
    if domain is not None and opens_now(chosen, scene, debt):
        return alert(f"{said} Paged now: {_paged(chosen, domain, scene)}.", ids.BLOCK_CONSEQUENCE)
    return context(said, ids.BLOCK_CONSEQUENCE)


def _target(chosen: Runbook | None, entered: Mapping[str, str]) -> Block:
    if chosen is not None and chosen.targets:
        choices = {target: target for target in chosen.targets}
        element = select(ids.TARGET_CHOICE, choices, entered.get(ids.TARGET_CHOICE, ""), "Which system or account?")
        return input_block(f"{ids.TARGET_CHOICE}.{chosen.id}", wording.TARGET, element)
    element = {"type": "plain_text_input", "action_id": ids.TARGET_TEXT, "max_length": TARGET_MAX}
    return input_block(ids.TARGET_TEXT, wording.TARGET, _filled(element, entered.get(ids.TARGET_TEXT, "")))


def _reason(entered: Mapping[str, str], hint: str) -> Block:
    element = {"type": "plain_text_input", "action_id": ids.REASON, "multiline": True, "max_length": REASON_MAX}
    element = _filled(element, entered.get(ids.REASON, ""))
    return input_block(ids.REASON, wording.REASON, element, hint=hint)


def _duration(chosen: Runbook, entered: Mapping[str, str]) -> Block:
    choices = {str(seconds): span(seconds) for seconds in durations(chosen)}
    wanted = entered.get(ids.DURATION, "")
    element = select(ids.DURATION, choices, wanted if wanted in choices else str(chosen.default_duration))
    return input_block(f"{ids.DURATION}.{chosen.id}", wording.DURATION, element)


def _until(chosen: Runbook, entered: Mapping[str, str], scene: ViewContext) -> Block:
    """The last day of an exception; a day is always selected, at first the runbook's default."""
    today = scene.now.date()
    day = entered.get(ids.UNTIL) or end_dates.usual_day(chosen, today).isoformat()
    return day_block(f"{ids.UNTIL}.{chosen.id}", day, chosen.max_duration)


def day_block(block_id: str, initial: str, longest: int) -> Block:
    """The choice of the last day of something that ends on a date; `longest` in seconds of policy."""
    picker: Block = {"type": "datepicker", "action_id": ids.UNTIL, "placeholder": plain("Choose a day", 150)}
    if initial:
        picker["initial_date"] = initial
    return input_block(block_id, wording.UNTIL, picker, hint=wording.until_hint(longest // end_dates.DAY))


def _subject(entered: Mapping[str, str]) -> Block:
    element: Block = {
        "type": "users_select", "action_id": ids.SUBJECT,
        "placeholder": plain("Whose credential is reset?", 150),
    }  # fmt: skip
    if entered.get(ids.SUBJECT):
        element["initial_user"] = entered[ids.SUBJECT]
    return input_block(ids.SUBJECT, wording.SUBJECT, element)


def _filled(element: Block, text: str) -> Block:
    return element | {"initial_value": text[: element["max_length"]]} if text else element


def _shown(blocks: Sequence[Block]) -> frozenset[str]:
    return frozenset(block["element"]["action_id"] for block in blocks if "element" in block)


def _is_text(action_id: str) -> bool:
    typed_fields = tuple(ids.field_action("", kind) for kind in ("text", "multiline", "email", "url", "number"))
    return action_id in (ids.TARGET_TEXT, ids.REASON) or action_id.startswith(typed_fields)

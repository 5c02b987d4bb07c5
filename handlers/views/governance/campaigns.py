"""A campaign on screen: its one message, its one form, and the notices around it.

Unused and flagged items come first and need a reason to be kept. A form holds FORM_ITEMS; what is left blank stays open, so
that it can be done in parts. Source: governance-contract.md, section 2.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.domain.case.campaign import WORDS, Campaign, Item
from bot.domain.case.model import Case
from bot.domain.governance import narrowing, working_days
from handlers import ids
from handlers.views.kit import wording
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
)
from handlers.views.kit.context import ViewContext, everyone, span, who
from handlers.views.kit.escaping import inline

FORM_ITEMS, _LISTED = 15, 20
_KINDS = {
    "autonomous": "opens by itself", "break_glass": "break-glass", "exception": "exception", "person": "may ask",
}  # fmt: skip
_NARROW: Mapping[str, str] = {
    "autonomous": "it needs approval each time", "break_glass": "it asks everybody at once, and opens after a yes",
    "exception": "it is not renewed", "person": "everything they ask for needs a yes first",
}  # fmt: skip
_WITHDRAW: Mapping[str, str] = {
    "autonomous": "it is refused until its runbook changes", "break_glass": "it asks first until its runbook changes",
    "exception": "it ends in 14 days", "person": "they cannot ask in your domains",
}  # fmt: skip
_SILENCE: Mapping[str, str] = {
    "autonomous": "needs approval", "break_glass": "opens once per provider, and pages the risk owner",
    "exception": "is not renewed", "person": "needs a yes for everything",
}  # fmt: skip


# The message.


def card(campaign: Campaign, scene: ViewContext) -> Message:
    """The campaign's message: what is left to answer, and the two buttons."""
    lines = [*_head(campaign, scene), *_listed(campaign, scene)]
    text = "\n".join(lines)
    row = _buttons(campaign)
    return message(text, [*(section("\n".join(part)) for part in _parts(lines)), row])


def at_home_line(campaign: Campaign, scene: ViewContext) -> str:
    """A campaign that somebody answers, in two lines: where, and until when with what silence does."""
    return "\n".join(_head(campaign, scene)[:2])


def at_home(found: Iterable[Campaign], scene: ViewContext) -> list[Block]:
    """The campaigns that somebody answers, each with its buttons."""
    blocks: list[Block] = []
    for campaign in found:
        row = _buttons(campaign)
        blocks.append(section(at_home_line(campaign, scene)))
        blocks += [row | {"block_id": f"{ids.BLOCK_REVIEW}.{campaign.id}"}] if row else []
    return blocks


def _head(campaign: Campaign, scene: ViewContext) -> list[str]:
    names = ", ".join(inline(d.name, 60) for d in map(scene.domain, campaign.domains) if d is not None)
    left, total = len(campaign.unanswered), len(campaign.items)
    if campaign.state == "closed":
        return [f"*Review {campaign.id} of {names} is closed.* {_result(campaign)}."]
    head = f"*Review: {left} of {total} to answer* · {names} · {campaign.id}"
    told = "This is what providers may do there without asking you first, and who may ask. Keep, narrow or withdraw each."
    silent = "are then narrowed" if campaign.narrows else "then stay as they are"
    days = _days(campaign.window - campaign.counted)
    return [head, f"Answer within {days}. Rights without an answer {silent}.", told]


def _days(left: int) -> str:
    return "1 working day" if left == 1 else f"{left} working days"


def _listed(campaign: Campaign, scene: ViewContext) -> list[str]:
    shown = campaign.unanswered if campaign.state == "open" else campaign.items
    lines = [f"• {line(item, scene)}" for item in shown[:_LISTED]]
    return lines + ([f"… and {len(shown) - _LISTED} more."] if len(shown) > _LISTED else [])


def _buttons(campaign: Campaign) -> Block | None:
    easy = [item for item in campaign.unanswered if item.easy]
    if campaign.state == "closed":
        if not any(item.answer == "silence" for item in campaign.items):
            return None
        return actions(ids.BLOCK_REVIEW, button("Keep what was narrowed", ids.REVIEW_OPEN, campaign.id))
    row = [button(f"Review {len(campaign.unanswered)}", ids.REVIEW_OPEN, campaign.id, "primary")]
    row += [button(f"Keep these {len(easy)}", ids.REVIEW_KEEP, campaign.id)] if easy else []
    return actions(ids.BLOCK_REVIEW, *row)


def line(item: Item, scene: ViewContext) -> str:
    """One item with its figures, the flags first."""
    flags = f"*{inline(', '.join(item.flags), 100)}* · " if item.flags else ""
    answer = f" · *{WORDS[item.answer]}*" if item.answer else ""
    said = "; ".join(figures(item, scene))
    return f"{flags}{_name(item)} ({_KINDS[item.kind]}){f': {said}' if said else ''}{answer}"


def _name(item: Item) -> str:
    if item.kind == "person":
        user = item.of.rpartition("/")[2]
        return f"<@{user}>" if user.isascii() and user.isalnum() else "somebody"
    return f"{inline(item.title, 100)} [{inline(item.of, 60)}]"


def figures(item: Item, scene: ViewContext) -> Iterable[str]:
    """Its use, from the log."""
    found = item.figures
    if item.kind == "exception":
        yield f"of {scene.provider(item.provider)}"
    elif found.uses == 0:
        yield from () if "unused" in item.flags else ("not used",)
    else:
        yield f"{found.uses} uses, the last {scene.at(found.last_use)}" if found.last_use else f"{found.uses} uses"
        if item.kind != "person":
            yield f"by {everyone(found.by, 4)}"
    if found.out_of_hours:
        yield f"{found.out_of_hours} out of hours"
    if found.missing:
        yield f"evidence missing {found.missing} times"
    if found.first_press is not None:
        yield f"first press after {span(found.first_press)} (median)"
    if item.kind == "person":
        yield f"their lead answered {scene.at(item.attested)}" if item.attested else "no answer from their lead yet"
    if item.alone is not None:
        yield f"approved by {who(item.alone)} alone"


def _result(campaign: Campaign) -> str:
    answers = [item.answer for item in campaign.items]
    found = [(answers.count(answer), word) for answer, word in WORDS.items()]
    return ", ".join(f"{count} {word}" for count, word in found if count)


def _parts(lines: Sequence[str]) -> list[list[str]]:
    """Groups that fit in a section each."""
    parts: list[list[str]] = [[]]
    for one in lines:
        if sum(map(len, parts[-1])) + len(one) > 2500:
            parts.append([])
        parts[-1].append(one)
    return parts


# The form.


def asked_about(campaign: Campaign) -> list[tuple[int, Item]]:
    """The items of the next form with their places; of a closed campaign what a silence narrowed."""
    wanted = "" if campaign.state == "open" else "silence"
    return [(n, item) for n, item in enumerate(campaign.items) if item.answer == wanted][:FORM_ITEMS]


def form(campaign: Campaign, channel: str, scene: ViewContext) -> Block:
    """Keep, Narrow or Withdraw for each item; a reason where it is unused or flagged."""
    blocks: list[Block] = [context("What you leave blank stays open. Unused and flagged ones need a reason to keep.")]
    for n, item in asked_about(campaign):
        blocks.append(section(line(item, scene)))
        blocks.append(input_block(ids.review_choice(n), "Does it stay?", _choices(n, item), optional=True))
        if item.flags:
            text: Block = {"type": "plain_text_input", "action_id": ids.review_reason(n), "max_length": 500}
            text["placeholder"] = plain("Needed if you keep it", 150)
            blocks.append(input_block(ids.review_reason(n), "Why it is kept", text, optional=True))
    metadata = json.dumps({"question": campaign.id, "channel": channel})
    return modal(ids.FORM_REVIEW, f"Review {campaign.id}", blocks, submit="Send", close=wording.CANCEL, metadata=metadata)


def _choices(n: int, item: Item) -> Block:
    words = [("keep", "Keep", "it stays as it is")]
    if item.answer == "":
        words += [("narrow", "Narrow", _NARROW[item.kind]), ("withdraw", "Withdraw", _WITHDRAW[item.kind])]
    options = [{"text": plain(w, 75), "value": v, "description": plain(d, 75)} for v, w, d in words]
    return {"type": "radio_buttons", "action_id": ids.review_choice(n), "options": options}


# On cards.


def review_overdue(case: Case, scene: ViewContext) -> str:
    """The note on the card of a break-glass whose review nobody answered; else the empty string."""
    runbook = scene.policy.runbooks.get(case.request.runbook)
    found = None if runbook is None else narrowing.overdue(scene.policy, runbook)
    return "" if found is None else f"*Review overdue since {scene.at(found.since)}*: nobody has kept this right."


# Notices.


def reminder(campaign: Campaign) -> Message:
    """Half of the window is over; of a closed campaign that nothing is to be answered."""
    if campaign.state == "closed":
        over = f"*Review {campaign.id} is closed*, {wording.NO_ANSWER_NEEDED}"
        return message(over, [section(over)])
    days = campaign.window - campaign.counted
    text = f"*Review {campaign.id}: {len(campaign.unanswered)} still to answer* within {_days(days)}."
    return message(text, [section(text), *([row] if (row := _buttons(campaign)) else [])])


def notice(campaign: Campaign, what: str, keys: Sequence[str], scene: ViewContext) -> Message:
    """Something about these items is announced."""
    items = [item for key in keys if (item := campaign.item(key)) is not None]
    head = _HEADS.get(what, "Review {id}.").format(id=campaign.id)
    lines = [f"*{head}*", *(f"• {_said(item, what)}" for item in items[:_LISTED])]
    lines += [f"… and {len(items) - _LISTED} more."] if len(items) > _LISTED else []
    if what == "falls_tomorrow":
        lines.append(_when(campaign, scene))
    if what == "narrowed":
        lines.append("Who reviews them can keep them after all: *Keep what was narrowed*, below the closed review.")
    text = "\n".join(lines)
    return message(text, [section("\n".join(part)) for part in _parts(lines)])


_HEADS: Mapping[str, str] = {
    "falls_tomorrow": "Review {id}: nobody answered, and these are narrowed next",
    "narrowed": "Review {id}: nobody answered, so these are narrowed now",
    "kept_after_silence": "Review {id}: kept after all, so these are as before",
    "answered": "Review {id}: answered",
}


def _said(item: Item, what: str) -> str:
    if what in ("falls_tomorrow", "narrowed"):
        return f"{_name(item)}: {_SILENCE[item.kind]}"
    if what == "answered" and item.by is not None:
        meaning = {"narrow": _NARROW, "withdraw": _WITHDRAW}.get(item.answer, {}).get(item.kind, "")
        return f"{_name(item)}: {WORDS[item.answer]} by {who(item.by)}; {meaning}"
    return _name(item)


def _when(campaign: Campaign, scene: ViewContext) -> str:
    if campaign.previewed_at is None:
        return ""
    hours = working_days.hours_of(next((d for d in map(scene.domain, campaign.domains) if d is not None), None))
    at = scene.at(working_days.falls_at(campaign.previewed_at, hours, scene.scale))
    return f"This happens at {at}, unless somebody answers before. It waits while an emergency is open there."


# Sentences.


def _answered(_params: Mapping[str, object], _scene: ViewContext) -> str:
    return "This was answered already. Nothing was changed."


def _unknown(_params: Mapping[str, object], _scene: ViewContext) -> str:
    return "There is no such review, or it does not hold this. Nothing was changed."


def _not_yours(_params: Mapping[str, object], scene: ViewContext) -> str:
    return (
        "This review is not yours to answer, or it has not reached you. Nothing was changed."
        f" Write to {inline(scene.policy.contact, 100)} if that is wrong."
    )


def _reason(params: Mapping[str, object], _scene: ViewContext) -> str:
    flags, title = inline(str(params.get("flags", "")), 100), inline(str(params.get("title", "")), 100)
    return f"Nothing was changed. {title} is flagged ({flags}): say why it is kept, or narrow it."


def _singly(params: Mapping[str, object], _scene: ViewContext) -> str:
    return f"Nothing was changed. Look at {inline(str(params.get('title', '')), 100)} by itself: press *Review*."


def _taken(params: Mapping[str, object], _scene: ViewContext) -> str:
    left = params.get("left")
    rest = "The review is complete." if not left else f"{left} are still to answer."
    return f"{params.get('items')} answered. {rest}"


REVIEW_SENTENCES: Mapping[str, Callable[[Mapping[str, object], ViewContext], str]] = {
    "review_answered": _answered,
    "review_unknown": _unknown,
    "review_reason": _reason,
    "review_singly": _singly,
    "review_taken": _taken,
    "review_not_yours": _not_yours,
}

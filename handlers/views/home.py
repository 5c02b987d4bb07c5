"""A person's App Home: what waits for them, with its buttons, live access, what they owe and what they asked for.

It is theirs alone and is drawn again when something in it changes. Every decision can be made in place; the blocks of one
request carry its id, so that no two are alike. Slack allows 100 blocks; a page of what waits holds few enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.authority.authorization import waiting_asks
from bot.domain.case.ask import Ask
from bot.domain.case.model import Case, Grant
from bot.domain.policy.people import Person
from bot.domain.timing import cooling_off
from bot.service.queries import HomeContents
from handlers import ids
from handlers.views import facts, identity_proof
from handlers.views.discussion import beside_buttons, deciding_buttons
from handlers.views.findings import cards as finding_cards
from handlers.views.grant import owed_lines, requester_buttons, revoke_button
from handlers.views.kit import wording
from handlers.views.kit.blocks import Block, Message, actions, button, context, divider, plain, section
from handlers.views.kit.context import ViewContext, who
from handlers.views.kit.escaping import inline
from handlers.views.kit.silence import silence
from handlers.views.kit.time_scale_mark import marked_once
from handlers.views.pages import exception
from handlers.views.receipt import status
from handlers.views.reviews.cards import ask_at_home

_BLOCKS, _REGISTER = 100, 20
_REVIEWS = frozenset({"review", "right"})


def home(
    sheet: HomeContents, scene: ViewContext, *, may_ask: bool, governance: Sequence[Block] = (), rows: Sequence[Block] = ()
) -> Block:
    """The view for `views.publish`. `may_ask`: there is a runbook that this person may ask for. `governance`: what waits for
    their answer without a request; `rows`: their part of the matrix, last."""
    blocks = [
        *_top(sheet, scene, may_ask=may_ask),
        *_waiting(sheet, scene, governance),
        *_live(sheet, scene),
        *_owing(sheet, scene),
        *_mine(sheet, scene),
        *_led(sheet, scene),
        *_audit(sheet, scene),
        *rows,
    ]
    drawn = marked_once(Message("", tuple(blocks[:_BLOCKS])), scene).blocks
    return {"type": "home", "callback_id": ids.FORM_HOME, "blocks": list(drawn)}


def _top(sheet: HomeContents, scene: ViewContext, *, may_ask: bool) -> list[Block]:
    ask = [button(wording.SHORTCUT_NAME, ids.ASK_HERE, "home", "primary")] if may_ask else []
    if sheet.away_until is None:
        away = button(wording.GO_AWAY, ids.GO_AWAY, "away")
    else:
        away = button(wording.COME_BACK, ids.COME_BACK, "back")
    said = f"*{wording.BOT_NAME}.* {inline(scene.policy.organisation, 100)}. As of {scene.at(scene.now)}."
    if sheet.away_until is not None:
        said += f"\n*You are away* until {scene.at(sheet.away_until)}: your questions go to a deputy. You may still decide."
    return [section(said), actions("home.top", *ask, away)]


def _waiting(sheet: HomeContents, scene: ViewContext, governance: Sequence[Block]) -> list[Block]:
    """Each part of `governance` has one row of buttons."""
    blocks = [_header(f"Waiting for you ({sheet.waits + sum(block['type'] == 'actions' for block in governance)})")]
    if not sheet.waiting:
        nothing = wording.NOTHING_TO_DECIDE if sheet.owing else wording.NOTHING_WAITS
        return [*blocks, *(governance or (section(nothing),))]
    asked = [(case, ask) for case in sheet.waiting for ask in waiting_asks(case, scene.policy, sheet.person)]
    for later in (False, True):
        part = sorted((one for one in asked if (one[1].kind in _REVIEWS) is later), key=lambda one: _due(one[1]))
        if part and later:
            blocks.append(section(f"*{wording.REVIEWS_AFTER}*"))
        for case, ask in part:
            blocks += _question(case, ask, sheet.person, scene)
    return [*blocks, *_pages(sheet), *governance]


def _due(ask: Ask) -> datetime:
    return ask.due_at or ask.expires_at


def _question(case: Case, ask: Ask, person: Person, scene: ViewContext) -> list[Block]:
    if case.finding is not None:
        lines, row = finding_cards.at_home(case, person, scene)
        return [*facts.sections(lines), *([_own(row, case.id)] if row else [])]
    if ask.kind != "approval":
        lines, row = ask_at_home(case, ask, scene)
        return [*facts.sections([f"*{case.id}* · {facts.age(case)}", *lines]), *([row] if row else [])]
    request, value = case.request, ids.question(case.id, ask.version)
    lines = [
        f"*{case.id} · {facts.heading(case)}*",
        f"{who(request.requester)} of *{scene.provider(request.provider)}* asks {scene.length(case)}, {facts.age(case)}",
        *facts.asked_for(case, scene),
        facts.tally(case, scene),
        *identity_proof.lines(case, scene, to_approver=True),
    ]
    lines += [] if cooling_off.waits(case) else [silence(case, scene)]
    buttons = (deciding_buttons(case, person, scene), beside_buttons(case, person, scene))
    rows = [_own(row, value) for row in buttons if row is not None]
    return [*facts.sections([line for line in lines if line]), *rows]


def _pages(sheet: HomeContents) -> list[Block]:
    if sheet.pages == 1:
        return []
    row = []
    if sheet.page > 1:
        row.append(button(wording.EARLIER, ids.HOME_PAGE, str(sheet.page - 1)))
    if sheet.page < sheet.pages:
        row.append(button(wording.LATER, ids.HOME_PAGE, str(sheet.page + 1)))
    said = context(f"Page {sheet.page} of {sheet.pages}; the next to expire first.")
    # both buttons share an action; Slack wants every action_id of a block once
    return [said, *(actions(f"home.page.{one['value']}", one) for one in row)]


def _live(sheet: HomeContents, scene: ViewContext) -> list[Block]:
    blocks: list[Block] = []
    for case in sheet.live:
        mine = case.request.requester == sheet.person
        row = requester_buttons(case, scene) if mine else revoke_button(case, sheet.person, scene)
        holder = "" if mine else f"{who(case.request.requester)} of {scene.provider(case.request.provider)}, "
        until = f"{holder}until {_end(case, case.grant, scene)}" if case.grant else holder
        said = f"{until[:1].upper()}{until[1:]}"
        blocks.append(section(f"*{case.id} · {facts.heading(case)}*\n{_which(case, scene)}\n{said}"))
        blocks += [_own(row, case.id)] if row else []
    return _part("Live access", blocks)


def _end(case: Case, grant: Grant, scene: ViewContext) -> str:
    return scene.day(grant.not_after, grant.opened_at, grant.seconds) if case.dated else scene.at(grant.not_after)


def _owing(sheet: HomeContents, scene: ViewContext) -> list[Block]:
    blocks: list[Block] = []
    for case in sheet.owing:
        lines = [line for line in owed_lines(case, scene) if line.startswith("*Still due")]
        blocks.append(section("\n".join([f"*{case.id} · {facts.heading(case)}*", _which(case, scene), *lines])))
        row = requester_buttons(case, scene)
        blocks += [_own(row, f"owed.{case.id}")] if row else []
    return _part("Due from you", blocks)


def _mine(sheet: HomeContents, scene: ViewContext) -> list[Block]:
    return _part("What you asked for", [block for case in sheet.mine for block in _asked(case, scene)])


def _asked(case: Case, scene: ViewContext) -> list[Block]:
    row = identity_proof.attest_button(case)
    shown = section(f"*{case.id} · {facts.heading(case, 120)}*\n{_which(case, scene)}\n{status(case, scene)}")
    return [shown, *([_own(row, case.id)] if row else [])]


def _led(sheet: HomeContents, scene: ViewContext) -> list[Block]:
    """Of a lead: the provider's open requests."""
    blocks = [
        section(
            f"*{case.id} · {facts.heading(case, 120)}*\n{who(case.request.requester)}: {_which(case, scene)}"
            f"\n{facts.asked_now(case, scene)} Expires at {scene.at(case.approval.expires_at)}."
        )
        for case in sheet.led
    ]
    return _part("Open requests of your provider", blocks)


def _audit(sheet: HomeContents, scene: ViewContext) -> list[Block]:
    """Of an auditor: the exceptions that hold, what is overdue, how far the log is signed. Never a target or typed text."""
    audit = sheet.audit
    if audit is None:
        return []
    held = [exception(case, scene) for case in audit.exceptions[:_REGISTER]]
    held += [f"… and {len(audit.exceptions) - _REGISTER} more."] if len(audit.exceptions) > _REGISTER else []
    domains = [(scene.domain(domain), domain, count) for domain, count in sorted(audit.overdue.items())]
    late = [f"{inline(known.name if known else domain, 80)}: {count}" for known, domain, count in domains]
    signed = "all" if audit.signed >= audit.entries else f"the first {audit.signed:,}"
    state = f"{audit.entries:,} entries, {signed} signed by the newest checkpoint."
    lines = ["*Exceptions register*", *(held or ["No policy exception is open."])]
    lines += ["*Reviews and other answers overdue*", ", ".join(late) if late else "None."]
    return _part("Audit", facts.sections([*lines, "*Decision log*", state]))


def _which(case: Case, scene: ViewContext) -> str:
    """What distinguishes one case from others of the same title: its target, cut, and its age. Empty of what nobody filed."""
    if case.request.matter or case.sealed:
        return facts.age(case)
    return f"{wording.TARGET}: {inline(case.request.target, 60)}, {facts.age(case)}"


def _part(title: str, blocks: Sequence[Block]) -> list[Block]:
    return [divider(), _header(title), *blocks] if blocks else []


def _header(text: str) -> Block:
    return {"type": "header", "text": plain(text, 150)}


def _own(row: Block, mark: str) -> Block:
    """The row with a block_id that no other request's row has."""
    return row | {"block_id": f"{row.get('block_id', 'row')}.{mark}"[:255]}

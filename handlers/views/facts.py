"""The facts of a case as mrkdwn: what was asked, who is asked, what silence does, how it ended.

Text that people typed is shown in quotes or after a label, and escaped first (`safe`). People are ids.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.authority.quorum import count
from bot.domain.case.ask import Ask, Vote
from bot.domain.case.lifecycle import AskState, FindingState, GrantState, RequestState
from bot.domain.case.model import Case, FieldValue
from bot.domain.policy.same_text import confusing
from bot.domain.timing.steps import people_of
from handlers.views import sealed_use
from handlers.views.executor import standing
from handlers.views.kit import finding, wording
from handlers.views.kit.blocks import Block, section
from handlers.views.kit.context import ViewContext, everyone, who
from handlers.views.kit.escaping import inline, quote

REASON_ROOM, FIELDS_ROOM, FIELD_ROOM_MIN = 5600, 3600, 60
_PACK = 2900
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")


def pending(case: Case) -> bool:
    return case.request.waits


def discussed(case: Case) -> bool:
    """Whether a question can still be asked and answered: a finding's until it is closed."""
    return pending(case) or case.request.state is FindingState.ACKNOWLEDGED


def heading(case: Case, limit: int = 200) -> str:
    mark = f"{wording.ICONS[case.request.kind]} " + (f"{wording.BREAK_GLASS} · " if case.break_glass else "")
    return mark + inline(case.request.title, limit)


def look_twice(target: str) -> list[str]:
    """A warning about a target that can look like another one; nothing where it cannot."""
    doubt = confusing(target)
    return [f"*Look twice:* {inline(doubt, 300)}."] if doubt else []


def asked_for(case: Case, scene: ViewContext) -> list[str]:
    """Everything that was filed except title and duration, one line each; a quote takes several."""
    request = case.request
    if case.sealed:
        return sealed_use.facts_of(case, scene)
    if case.finding is not None:
        return finding.facts_of(case, scene)
    lines = [f"*{wording.TARGET}:* {inline(request.target, 1100)}"]
    lines += look_twice(request.target)
    if request.subject is not None:
        lines.append(f"*{wording.SUBJECT}:* {who(request.subject)}")
    room = max(FIELDS_ROOM // max(len(request.fields), 1), FIELD_ROOM_MIN)
    for value in request.fields[:40]:
        lines += _field(case, value, scene, room)
    if request.terms.risk != "low":
        signs = ": the risk owner accepts what remains" if request.terms.risk == "high" else ""
        lines.append(f"*Risk:* {request.terms.risk}{signs}.")
    return [*lines, f"*{wording.REASON}:*", *quote(request.reason, REASON_ROOM).split("\n")]


def sections(lines: Sequence[str]) -> list[Block]:
    """Lines as sections, as few as hold them."""
    packed: list[str] = []
    for line in lines:
        if packed and len(packed[-1]) + 1 + len(line) <= _PACK:
            packed[-1] += "\n" + line
        else:
            packed.append(line)
    return [section(text) for text in packed if text]


def asker(case: Case, scene: ViewContext, limit: int = 80) -> str:
    """Who asked, for which provider; of a use of the sealed path, who recorded it."""
    request = case.request
    if case.finding is not None:
        return finding.filer(case, scene, limit)
    if case.sealed:
        return f"Recorded by {who(request.requester)}"
    return f"{who(request.requester)} of *{scene.provider(request.provider, limit)}*"


def age(case: Case) -> str:
    """`asked 5 minutes ago`, counted by the reader's Slack whenever they look."""
    filed = case.request.filed_at
    return f"asked <!date^{int(filed.timestamp())}^{{ago}}|{filed:%Y-%m-%d %H:%M} UTC>"


def braked(ask: Ask, scene: ViewContext) -> str:
    """That nobody is paged, because the requester has woken enough people; empty where they have not."""
    return wording.braked(ask.braked.nth, scene.at(ask.braked.until)) if ask.braked else ""


def state_word(case: Case) -> str:
    """The state of the request in a few words, for a line among others."""
    early = case.request.state is RequestState.EXPIRED and case.cut_short
    return "expired before its time" if early else wording.STATES[str(case.request.state)]


def asked_now(case: Case, scene: ViewContext) -> str:
    """Who has been asked and still may answer."""
    silent = [p for p in case.approval.asked if case.approval.vote_of(p) is None]
    if not silent:
        return "Nobody could be asked yet." if not case.approval.asked else "Everybody asked has answered."
    return f"Asked: {everyone(silent)}."


def tally(case: Case, scene: ViewContext) -> str:
    """How many of the wanted approvals there are, and who is lacking; empty where one is enough and none is given."""
    ask = case.approval
    have = count(case, ask, scene.policy)
    if ask.need <= 1 and not ask.requires:
        return ""
    yes = [v.person for v in ask.votes if v.answer == "yes"]
    said = f" ({everyone(yes)})" if yes else ""
    domain = scene.domain(case.request.domain)
    lacking = []
    for role in have.lacking:
        named = people_of(role, scene.policy, domain, scene.now) if domain else ()
        lacking.append(f"the {wording.ROLES[role]} {everyone(named)}".strip())
    wanted = f" Still needed: {', '.join(lacking)}." if lacking else ""
    return f"*{have.have} of {have.need} approvals*{said}.{wanted}"


def outcome(case: Case, scene: ViewContext, *, ratify: bool = True) -> str:
    """The state of a decided request, an end first; empty while it is pending. Reasons are in `reasons`. `ratify`: with the time
    by which it must be ratified, which the ratification's own card says beside its buttons."""
    request = case.request
    if case.sealed:
        return sealed_use.outcome(case, scene)
    if case.finding is not None:
        return finding.standing(case, scene)
    when = f" at {scene.at(request.closed_at)}" if request.closed_at else ""
    by = f" by {who(request.closed_by)}" if request.closed_by else ""
    if request.matter:
        return _matter(case)
    if request.state is RequestState.DENIED:
        return f"*Denied*{_denier(case) or by or ' on the host'}{when}. Nothing was opened."
    if request.state is RequestState.EXPIRED:
        early = f" {inline(case.cut_short, 600)}" if case.cut_short else ""
        return f"*Expired*{when}: {'before its time' if early else 'nobody decided in time'}. Nothing was opened.{early}"
    if request.state is RequestState.WITHDRAWN:
        return f"*Withdrawn*{by}{when}. Nothing was opened."
    if case.grant is None:
        return ""
    over = "" if access_open(case, scene) else f"{ended(case, scene)}\n"
    told = [_opened(case, when), _grant(case, scene), _ratification(case, scene, ratify)]
    return over + " ".join(part for part in told if part)


def _opened(case: Case, when: str) -> str:
    """By whose word it opened."""
    if case.request.state is RequestState.APPROVED:
        return f"*Approved* by {_yes_people(case)}{when}."
    if case.request.right == "autonomous":
        return f"*Opened under a standing right of the provider*{when}; nobody was asked."
    return f"*Opened*{when}."


def opened_and_ended(case: Case, scene: ViewContext) -> str:
    """Whose access has ended, for people who were told that it is open."""
    when = f" at {scene.at(case.request.closed_at)}" if case.request.closed_at else ""
    if case.request.state is RequestState.APPROVED:
        return f"The access that {_yes_people(case)} approved{when} has ended."
    return f"The access that opened{when} has ended."


def access_open(case: Case, scene: ViewContext) -> bool:
    """Whether the grant is open and its time is not over, also where no timer ran yet."""
    return case.grant is not None and case.grant.state is GrantState.OPEN and scene.now < case.grant.not_after


def ended(case: Case, scene: ViewContext) -> str:
    """How a grant ended, its state first; empty where there is none, or it is open."""
    grant = case.grant
    if grant is None or access_open(case, scene):
        return ""
    at, by = scene.at(grant.ended_at or grant.not_after), f" by {who(grant.ended_by)}" if grant.ended_by else ""
    if grant.state is GrantState.REVOKED:
        return f"*REVOKED*{by} at {at}. Stop work."
    if grant.state is GrantState.FINISHED:
        return f"*Finished*, reported{by} at {at}."
    if grant.state is GrantState.UNUSED:
        return f"*Not used*, reported{by} at {at}."
    if case.cut_short:
        over = "The rule applies again." if case.dated else "Stop work."
        return f"*Ended early* at {at}. {over} {inline(case.cut_short, 600)}"
    if case.dated:
        return f"*Ended* at {at}: the exception is over. The rule applies again."
    return f"*Ended* at {at}: the approval's time is over. Stop work."


def reason_of(ask: Ask, kind: str) -> list[str]:
    """The reason of a no or of a revoke, quoted; empty where none was given, or it was erased."""
    note = next(iter(reversed(ask.noted(kind))), None)
    return [f"*{wording.REASON}:*", *quote(note.text, 3000).split("\n")] if note is not None and note.text.strip() else []


def reasons(case: Case) -> list[str]:
    """Why it was denied, or revoked."""
    if case.cut_short:
        return []  # the outcome itself says it
    denied = case.request.state is RequestState.DENIED
    return reason_of(case.approval, "denial" if denied else "revocation")


def _ratification(case: Case, scene: ViewContext, waits: bool) -> str:
    """Whether an access that opened before any approval has been ratified; silence never ratifies. `waits`: with the time by
    which it must be."""
    ask = case.asks[0]
    if ask.kind != "ratification" or ask.due_at is None:
        return ""
    if ask.state in (AskState.YES, AskState.NO):
        word = "Ratified" if ask.state is AskState.YES else "Rejected"
        return f"*{word}* by {voter(ask.votes[-1])} at {scene.at(ask.votes[-1].at)}."
    if scene.now < ask.due_at:
        return f"Must be ratified by {scene.at(ask.due_at)}." if waits else ""
    still = f"; it can still be ratified until {scene.at(ask.expires_at)}" if scene.now < ask.expires_at else ""
    return f"*Used without approval*: nobody ratified it by {scene.at(ask.due_at)}{still}."


def _matter(case: Case) -> str:
    """The state of a case that nobody filed."""
    last = case.asks[-1]
    by = f" by {who(last.votes[-1].person)}" if last.votes else ""
    if case.request.matter == "suspension":
        person = who(case.request.subject) if case.request.subject else "Somebody"
        return f"*Restored*{by}: {person} decides again." if last.state is AskState.YES else f"*Suspended:* {person}."
    if case.request.matter == "provider":
        return f"*The suspension is lifted*{by}." if last.state is AskState.YES else "*The provider is suspended.*"
    if last.state is AskState.NO:
        return f"*The right was withdrawn*{by}."
    return (
        "*The right is under review on schedule.*" if last.state is AskState.OPEN else "*The right has changed or is gone.*"
    )


def footer(case: Case) -> str:
    return f"Request {case.id}"


def _yes_people(case: Case) -> str:
    votes = [v for v in case.approval.votes if v.answer == "yes"]
    return ", ".join(voter(v) for v in votes) or "nobody"


def _denier(case: Case) -> str:
    return next((f" by {voter(v)}" for v in case.approval.votes if v.answer == "no"), "")


def voter(vote: Vote) -> str:
    """Who answered, and on whose behalf if they acted for the owner."""
    behalf = None if vote.role == "risk_owner" else vote.on_behalf_of  # who owns the risk answers for it themselves
    return who(vote.person) + (f" on behalf of {who(behalf)}" if behalf and behalf != vote.person else "")


def _grant(case: Case, scene: ViewContext) -> str:
    grant = case.grant
    if grant is None:
        return ""
    if not access_open(case, scene):
        return standing(case, scene)
    if case.dated:
        return f"The exception holds until {scene.day(grant.not_after, grant.opened_at, grant.seconds)}."
    nobody_approved = case.break_glass or case.request.right == "autonomous"
    opened = "Access is open" if nobody_approved else "The approval holds"
    return (
        f"{opened} for {scene.lasting(grant.seconds)}, until {scene.at(grant.not_after)}. {standing(case, scene)}".rstrip()
    )


def _field(case: Case, value: FieldValue, scene: ViewContext, room: int) -> list[str]:
    label = f"*{inline(value.label, 80)}:*"
    kind = _type(case, value.name, scene)
    if kind == "person" and _USER.fullmatch(value.value):
        return [f"{label} <@{value.value}>"]
    if kind == "datetime" and value.value.isdecimal() and len(value.value) == 10:
        return [f"{label} <!date^{value.value}^{{date_short_pretty}}, {{time}}|{value.value}>"]
    if "\n" in value.value.strip():
        return [label, *quote(value.value, room).split("\n")]
    return [f"{label} {inline(value.value, room)}"]


def _type(case: Case, name: str, scene: ViewContext) -> str:
    """The field's type in the runbook as filed; empty where policy has moved on."""
    runbook = scene.policy.runbooks.get(case.request.runbook)
    if runbook is None or runbook.sha256 != case.request.runbook_sha256:
        return ""
    return next((spec.type for spec in runbook.fields if spec.name == name), "")

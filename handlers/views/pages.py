"""Pages of text that a command answers with: what waits, queue, mine, show, matrix, whoami, help.

They are shown to one person only and carry no buttons: nothing redraws them, and every button of ours must vanish when a
decision falls. A provider's person gets only cases, runbooks and domains of their own provider (rule 11).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.policy.model import Domain, Policy, Runbook
from bot.domain.policy.on_call import on_call
from bot.domain.policy.people import Person, Profile
from bot.domain.timing import end_dates
from bot.domain.workflow.asks.kinds import KINDS
from handlers.views import facts
from handlers.views.kit import wording
from handlers.views.kit.blocks import Message, context, message
from handlers.views.kit.context import ViewContext, everyone, who
from handlers.views.kit.escaping import escape, inline, one_line
from handlers.views.receipt import status

SHOWN, _REGISTER = 15, 40


def listing(title: str, empty: str, cases: Sequence[Case], scene: ViewContext) -> Message:
    """Several cases, three lines each."""
    if not cases:
        return _page(empty, [empty])
    lines = [f"*{title}*, as of {scene.at(scene.now)}", *(f"\n{_entry(case, scene)}" for case in cases[:SHOWN])]
    if len(cases) > SHOWN:
        lines.append(f"… and {len(cases) - SHOWN} more.")
    return _page("\n".join(lines), lines)


def waiting(cases: Sequence[Case], scene: ViewContext) -> Message:
    if not cases:
        caught_up = f"{wording.NOTHING_WAITS} {_more(scene)}"
        return _page(caught_up, [caught_up])
    shown = listing("What waits for you", "", cases, scene)
    where = "The buttons are on the cards in our direct message."
    return message(f"{shown.text}\n{where}", [*shown.blocks, context(where)])


def queue(cases: Sequence[Case], scene: ViewContext) -> Message:
    return listing("Open requests", "No open requests.", cases, scene)


def mine(cases: Sequence[Case], scene: ViewContext) -> Message:
    return listing("What you asked for", "You have not asked for anything.", cases, scene)


def review(waiting: Sequence[Case], owing: Sequence[Case], scene: ViewContext, campaigns: Sequence[str] = ()) -> Message:
    """What is due from a person: open reviews and evidence. `campaigns`: a line for each campaign that they answer."""
    if not (waiting or owing or campaigns):
        return _page("Nothing is due from you.", [f"Nothing is due from you. {_more(scene)}"])
    lines = [*campaigns, *_part("Waits for your answer", waiting, scene), *_part("Due from you", owing, scene)]
    shown = _page("\n".join(lines), lines)
    where = "The buttons are on the newest cards in our direct message."
    return message(f"{shown.text}\n{where}", [*shown.blocks, context(where)])


def _part(title: str, cases: Sequence[Case], scene: ViewContext) -> list[str]:
    more = [f"… and {len(cases) - SHOWN} more."] if len(cases) > SHOWN else []
    return [f"*{title}*", *(f"\n{_entry(case, scene)}" for case in cases[:SHOWN]), *more] if cases else []


def register(cases: Sequence[Case], scene: ViewContext) -> Message:
    """The policy exceptions in force, sorted by their end. Never shows target or free text."""
    if not cases:
        text = "No open policy exceptions."
        return _page(text, [text])
    lines = [f"*Policy exceptions ({len(cases)})*", *(f"\n{exception(case, scene)}" for case in cases[:_REGISTER])]
    if len(cases) > _REGISTER:
        lines.append(f"… and {len(cases) - _REGISTER} more.")
    return _page("\n".join(lines), lines)


def exception(case: Case, scene: ViewContext) -> str:
    """One exception of the register, three lines."""
    request, terms, domain = case.request, case.request.terms, scene.domain(case.request.domain)
    owner = f", owner {who(domain.owner)}" if domain else ""
    asked = f"{who(request.requester)} of {scene.provider(request.provider, 60)}{owner}"
    grant = case.grant
    until = scene.day(grant.not_after, grant.opened_at, grant.seconds) if grant else ""
    renewed = f"renewed {len(end_dates.renewals(case))} of {terms.max_renewals} times"
    return f"*{case.id}* {facts.heading(case, 120)}\n{asked}\nUntil *{until}*, risk {terms.risk}, {renewed}."


def show(case: Case, scene: ViewContext) -> Message:
    """One request: everything that was filed, and its state."""
    request = case.request
    head = [
        f"*{case.id} · {facts.heading(case)}*",
        _asked(case, scene),
    ]
    stands = [f"As of {scene.at(scene.now)}:", status(case, scene), *facts.reasons(case)]
    lines = [*head, *facts.asked_for(case, scene), *stands]
    text = "\n".join([*head, f"{wording.TARGET}: {inline(request.target, 300)}", *stands])
    return message(text, facts.sections(lines))


def _asked(case: Case, scene: ViewContext) -> str:
    at = scene.at(case.request.filed_at)
    if case.sealed:
        return f"{facts.asker(case, scene)} at {at}"
    if case.finding is not None:
        return f"{facts.asker(case, scene)} reported this finding at {at}"
    return f"{facts.asker(case, scene)} asked at {at} {scene.length(case)}"


def matrix(domains: Sequence[Domain], runbooks: Sequence[Runbook], scene: ViewContext) -> Message:
    """Who is responsible for which domain, and its runbooks."""
    if not domains:
        text = f"You may not ask for anything here yet. Write to {inline(scene.policy.contact, 200)} if that is wrong."
        return _page(text, [text])
    lines = [f"*{inline(scene.policy.organisation, 100)}: who answers for what*"]
    lines += [_domain(domain, runbooks, scene) for domain in domains[:40]]
    return _page("\n".join(lines), lines)


def whoami(people: Sequence[Profile], policy: Policy) -> Message:
    """Lines to paste under `people:` of the responsibility matrix."""
    taken: set[str] = set()
    lines = [_yaml_line(profile, policy, taken) for profile in people]
    head = "Lines for `people:` in the responsibility matrix. The id alone decides; the name is for readers."
    code = "```\n" + "\n".join(lines) + "\n```"
    return message(f"{head}\n{code}", facts.sections([head, code]))


def help_page(unknown: str, scene: ViewContext) -> Message:
    lines = [f"There is no “{inline(unknown, 60)}” here."] if unknown else []
    lines += [f"*{wording.BOT_NAME}.* {wording.BOT_TEXT}", *wording.help_lines(scene.prefix)]
    lines.append(f"Questions go to {inline(scene.policy.contact, 200)}.")
    return _page("\n".join(lines), ["\n".join(lines)])


def _page(text: str, lines: Sequence[str]) -> Message:
    return message(text, facts.sections(lines))


def _more(scene: ViewContext) -> str:
    return f"Commands: /{scene.prefix}countersign help"


def newest(cases: Sequence[Case], scene: ViewContext) -> Message:
    """The newest cases that somebody may see, for `log` without an id."""
    if not cases:
        text = "There is no request yet that you may see."
        return _page(text, [text])
    lines = ["*Newest requests*"]
    for case in cases[:SHOWN]:
        state = case.request.state if case.grant is None else case.grant.state
        word = wording.STATES.get(str(state), str(state))
        lines.append(f"*{case.id}* {facts.heading(case, 120)}: {word}, asked at {scene.at(case.request.filed_at)}")
    lines.append(f"`/{scene.prefix}countersign log ID` shows what the decision log says of one of them.")
    return _page("\n".join(lines), lines)


def _entry(case: Case, scene: ViewContext) -> str:
    """A case in a list, told from others of its title by its age. Never its target or reason: a list is looked at over shoulders."""
    if case.request.matter:
        return f"*{case.id}* {facts.heading(case, 120)}\n{facts.outcome(case, scene)}"
    if case.finding is not None:
        standing = facts.outcome(case, scene).partition("\n")[0] or facts.asked_now(case, scene)
        return f"*{case.id}* {wording.FINDING}: {facts.heading(case, 120)}\n{facts.asker(case, scene, 60)}\n{standing}"
    asks = facts.asker(case, scene, 60) + ("" if case.sealed else f", {scene.length(case)}, {facts.age(case)}")
    if not facts.pending(case):
        open_ = [KINDS[ask.kind].called for ask in case.later if ask.state is AskState.OPEN]
        waits = f" Open: {', '.join(open_)}." if open_ else ""
        return f"*{case.id}* {facts.heading(case, 120)}\n{asks}\n{facts.outcome(case, scene)}{waits}"
    ends = f"Expires at {scene.at(case.approval.expires_at)}. {facts.asked_now(case, scene)}"
    return f"*{case.id}* {facts.heading(case, 120)}\n{asks}\n{ends}"


def _domain(domain: Domain, runbooks: Sequence[Runbook], scene: ViewContext) -> str:
    rota = scene.policy.rotas.get(domain.on_call) if domain.on_call else None
    person = on_call(rota, scene.now) if rota else None
    parts = [f"owner {who(domain.owner)}"]
    if domain.deputies:
        parts.append(f"deputies {everyone(domain.deputies)}")
    if person:
        parts.append(f"on-call now {who(person)}")
    if domain.risk_owner:
        parts.append(f"risk owner {who(domain.risk_owner)}")
    suspended = [s.person for s in scene.policy.standing.suspended if s.domain == domain.id]
    if suspended:
        parts.append(f"suspended after a reset {everyone(suspended)}")
    asked = [f"• {inline(r.title, 120)} (`{inline(r.id, 80)}`)" for r in runbooks if r.domain == domain.id][:12]
    return "\n".join([f"*{inline(domain.name, 120)}*: {', '.join(parts)}", *asked])


def _yaml_line(profile: Profile, policy: Policy, taken: set[str]) -> str:
    """`olga: {id: U0OWNER, name: Olga Novak}`; an account of elsewhere is written with its team."""
    person = profile.person
    name = re.sub(r"[^\w .’'-]", "", one_line(profile.name))[:80].strip() or person.user
    label = _label(name, person, taken)
    home = policy.workspaces == (person.team,)
    shown = name if re.fullmatch(r"[^\W\d_][\w .-]*", name) else '"' + name.replace("'", "’") + '"'
    return escape(f"{label}: {{id: {person.user if home else person}, name: {shown}}}")


def _label(name: str, person: Person, taken: set[str]) -> str:
    """The first name in ASCII, made unique; the id where there is none."""
    first = re.sub(r"[^a-z0-9]", "", name.split()[0].lower()) or person.user.lower()
    label, number = first, 2
    while label in taken:
        label, number = f"{first}{number}", number + 1
    taken.add(label)
    return label

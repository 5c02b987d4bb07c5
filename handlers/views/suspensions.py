"""Authority that a reset suspended, autonomous rights under review, and what an owner reads of rights that were used."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.authority.authorization import named_for
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.policy.people import Person
from handlers.views import facts
from handlers.views.grant import revoke_button
from handlers.views.kit import wording
from handlers.views.kit.blocks import Message, context, message, section
from handlers.views.kit.context import ViewContext, span, who
from handlers.views.kit.escaping import inline, quote

SHOWN = 20
LIFT_MEANS = f"*{wording.LIFT}*: they may ask again. What ended stays ended, and is asked for anew."
RIGHT_MEANS = (
    f"*{wording.KEEP}*: it stays, and you are asked again. *{wording.WITHDRAW_RIGHT}*: {wording.WITHDRAW_RIGHT_MEANS}"
)


def suspension(case: Case, scene: ViewContext) -> list[str]:
    """What is suspended, and since when; afterwards only that it was reset."""
    request = case.request
    person = who(request.subject) if request.subject else "Somebody"
    reset = f"The credential of {person} was reset at {scene.at(request.filed_at)}."
    if not _open(case):
        return [reset]
    return [
        f"{reset} Until another person accountable for this domain presses *{wording.RESTORE}*, {person} decides nothing in it."
    ]


def restore_means(case: Case) -> str:
    """When to press **Restore**."""
    person = who(case.request.subject) if case.request.subject else "they"
    return (
        f"Press *{wording.RESTORE}* once you have made sure, by voice or in person, that {person} is at the keyboard again."
    )


def _open(case: Case) -> bool:
    return case.asks[-1].state is AskState.OPEN


def provider(case: Case, scene: ViewContext) -> list[str]:
    """Which provider is suspended where, since when and why."""
    request, domain = case.request, scene.domain(case.request.domain)
    name = inline(domain.name if domain else request.domain, 100)
    since = f"*{scene.provider(request.target)}* was suspended in *{name}* at {scene.at(request.filed_at)}."
    if not _open(case):
        return [since]
    what = "Nothing new of theirs is filed or opens there; what was pending expired, and what was open ended."
    return [since, what, *([f"*{wording.REASON}:*", *quote(request.reason, 1500).split("\n")] if request.reason else [])]


def right(case: Case, scene: ViewContext) -> list[str]:
    """What the right allows, and who has it."""
    runbook = scene.policy.runbooks.get(case.request.runbook)
    if runbook is None:
        return ["The policy has no such runbook any more."]
    names = ", ".join(scene.provider(provider) for provider in runbook.providers)
    limit = f" At most {runbook.limit.count} in {span(runbook.limit.per)} for each." if runbook.limit else ""
    if case.asks[-1].state is AskState.NO:
        return [f"*{names}* could do this without asking, for {span(runbook.max_duration)} at most."]
    return [f"*{names}* may do this without asking, for {span(runbook.max_duration)} at most.{limit}"]


def show(case: Case, scene: ViewContext) -> Message:
    """A case that nobody filed, for `show`."""
    told = _TOLD[case.request.matter](case, scene)
    lines = [f"*{case.id} · {facts.heading(case)}*", facts.outcome(case, scene), *told]
    return message("\n".join(lines), facts.sections(lines))


_TOLD = {"suspension": suspension, "right": right, "provider": provider}


def to_suspended(case: Case, moment: str, scene: ViewContext) -> Message:
    """To the person whose authority is suspended or restored."""
    domain = scene.domain(case.request.domain)
    name = inline(domain.name if domain else case.request.domain, 100)
    subject = case.request.subject
    person = who(subject) if subject else ""
    audits = subject in scene.policy.auditors
    only_audits = audits and domain is not None and subject not in named_for(scene.policy, domain)
    what = "word as an auditor" if only_audits else f"authority over *{name}*"
    if moment == "restored" or not _open(case):
        said = f"{person} Your {what} counts again. ({case.id})"
    else:
        said = (
            f"{person} Your credential was reset, so your {what} is suspended: your clicks do not count there until another"
            f" person accountable for {f'*{name}*' if only_audits else 'it'} presses *{wording.RESTORE}*. ({case.id})"
        )
    return message(said, [section(said)])


def used(case: Case, reader: Person, scene: ViewContext) -> Message:
    """To the owner, each time: what was done under an autonomous right."""
    request = case.request
    asks = f"{who(request.requester)} of *{scene.provider(request.provider)}* uses a right that needs no yes, for *{scene.lasting(request.seconds)}*"
    lines = [*facts.asked_for(case, scene), facts.outcome(case, scene)]
    blocks = [
        section(f"*{facts.heading(case)}*\n{asks}"),
        *facts.sections(lines),
        revoke_button(case, reader, scene),
        context(facts.footer(case)),
    ]
    text = f"{case.id}: {facts.heading(case, 100)}\n{asks}\n{wording.REASON}:\n{quote(request.reason, 1200)}"
    return message(text, blocks)


def digest(cases: Sequence[Case], scene: ViewContext) -> Message:
    """To the owner, once for a day: one line for each use of their autonomous rights. Never what was typed: a message about
    several requests could not be redrawn when one of them is erased."""
    head = f"*{len(cases)} {'use' if len(cases) == 1 else 'uses'} of rights that need no yes*, since the last of these messages."
    lines = [_line(case, scene) for case in cases[:SHOWN]]
    if len(cases) > SHOWN:
        lines.append(f"… and {len(cases) - SHOWN} more.")
    lines.append(f"`/{scene.prefix}countersign show ID` shows one of them.")
    return message("\n".join([head, *lines]), facts.sections([head, *lines]))


def _line(case: Case, scene: ViewContext) -> str:
    request = case.request
    return (
        f"• {scene.at(request.filed_at)} {case.id} {facts.heading(case, 80)}: {who(request.requester)} of"
        f" {scene.provider(request.provider, 60)}, for {scene.lasting(request.seconds)}"
    )

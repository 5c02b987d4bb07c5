"""The pages that commands answer with: each reads what it shows and renders it. One row of PAGES a page.

Rule 11: a provider's person sees only their provider's requests, runbooks and domains. The service filters the requests,
this module the matrix. An unknown person sees nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from bot.domain.errors import CountersignError, LookupFailed
from bot.domain.policy.model import Domain, Policy, Runbook
from bot.domain.policy.people import Person, Profile
from bot.ports.directory import Directory
from handlers.outbound.agreement_drawings import own_matrix
from handlers.outbound.coming_steps import with_ahead
from handlers.outbound.message_kinds import RenderContext
from handlers.views import drill as drills
from handlers.views import pages, reports, suspensions
from handlers.views.answers import say
from handlers.views.governance.agreement import blocks
from handlers.views.governance.campaigns import at_home_line
from handlers.views.kit.blocks import Message
from handlers.views.kit.context import ViewContext
from handlers.views.log import case as case_log

Draw: TypeAlias = Callable[[RenderContext, Person, str, ViewContext], Awaitable[Message]]
_PEOPLE_MAX, _NAME_AGE = 20, 60.0


async def _waiting(context: RenderContext, person: Person, _argument: str, scene: ViewContext) -> Message:
    return pages.waiting(await context.service.queries.read_waiting(person), scene)


async def _queue(context: RenderContext, person: Person, _argument: str, scene: ViewContext) -> Message:
    return pages.queue(await context.service.queries.read_queue(person), scene)


async def _mine(context: RenderContext, person: Person, _argument: str, scene: ViewContext) -> Message:
    return pages.mine(await context.service.queries.read_mine(person), scene)


async def _review(context: RenderContext, person: Person, _argument: str, scene: ViewContext) -> Message:
    waiting, owing = await context.service.queries.read_reviews(person), await context.service.queries.read_owing(person)
    return pages.review(
        waiting, owing, scene, [at_home_line(one, scene) for one in await context.service.reviews.theirs(person)]
    )


async def _exceptions(context: RenderContext, person: Person, _argument: str, scene: ViewContext) -> Message:
    return pages.register(await context.service.queries.read_exceptions(person, scene.now), scene)


async def _show(context: RenderContext, person: Person, argument: str, scene: ViewContext) -> Message:
    case = await context.service.queries.read_case(person, argument)
    if case is None:
        return say("unknown", {"argument": argument}, scene)
    if case.request.matter:
        return suspensions.show(case, scene)
    if case.request.drill is not None:
        return drills.report(case, scene, whole=True)
    return pages.show(case, await with_ahead(context.service, scene, (case,)))


async def _log(context: RenderContext, person: Person, argument: str, scene: ViewContext) -> Message:
    if not argument.strip():
        return pages.newest(await context.service.queries.read_newest(person), scene)
    asked, _, how = argument.strip().partition(" ")
    case = await context.service.queries.read_case(person, asked)
    if case is None:
        return say("unknown", {"argument": argument}, scene)
    rows = await context.store.log.of_case(case.id)
    if how.strip().lower() == "proof":
        return case_log.proof(case, rows, scene)
    refs = {ref for row in rows for ref in case_log.refs_of(row)}
    known = {ref: found for ref in refs if (found := await context.store.operator.person_of(ref)) is not None}
    return case_log.log(case, rows, known, scene)


async def _matrix(context: RenderContext, person: Person, _argument: str, scene: ViewContext) -> Message:
    page, own = (
        pages.matrix(*side_of(scene.policy, person), scene),
        own_matrix(scene.policy, context.service.agreements, person),
    )
    return page if own is None else replace(page, blocks=(*page.blocks[:30], *blocks(own, scene)))


async def _whoami(context: RenderContext, person: Person, argument: str, scene: ViewContext) -> Message:
    asked = dict.fromkeys([person.user, *argument.split()])
    people = [Person(person.team, user) for user in asked][:_PEOPLE_MAX]
    return pages.whoami([await _profile(context.directory, one) for one in people], scene.policy)


async def _report(context: RenderContext, person: Person, argument: str, scene: ViewContext) -> Message:
    asked = reports.read(argument, scene.now)
    if asked is None:
        return reports.how(scene)
    names = reports.names(scene.policy, person, asked)
    if context.reports is None or not names:
        return reports.refused(scene.policy, person, scene)
    try:
        made = [await context.reports.summary(asked.whose, name, asked.month) for name in names]
    except CountersignError as error:
        return reports.failed(str(error), scene)
    return reports.figures(made)


async def _help(_context: RenderContext, _person: Person, argument: str, scene: ViewContext) -> Message:
    return pages.help_page(argument, scene)


def side_of(policy: Policy, person: Person) -> tuple[tuple[Domain, ...], tuple[Runbook, ...]]:
    """The domains and runbooks that concern a person's party, sorted by name."""
    provider = policy.provider_of(person)
    runbooks = sorted(policy.runbooks.values(), key=lambda r: r.title)
    if provider is not None:
        own = tuple(r for r in runbooks if provider.id in r.providers)
        wanted = {r.domain for r in own}
        return tuple(d for d in policy.domains.values() if d.id in wanted), own
    if person.team in policy.workspaces:
        return tuple(policy.domains.values()), tuple(runbooks)
    return (), ()


async def _profile(directory: Directory, person: Person) -> Profile:
    try:
        return await directory.profile(person, _NAME_AGE)
    except LookupFailed:
        return Profile(person, person.user)


PAGES: Mapping[str, Draw] = {
    "waiting": _waiting,
    "queue": _queue,
    "mine": _mine,
    "exceptions": _exceptions,
    "review": _review,
    "report": _report,
    "show": _show,
    "log": _log,
    "matrix": _matrix,
    "whoami": _whoami,
    "help": _help,
}

"""`countersign doctor --live`: validates sample views with `blocks.validate` and sends one real message.

The samples (form, card, receipt, App Home) are rendered from the policy for a made-up request. `blocks.validate` posts
nothing. The one message goes to the person named with `--me` and has no button.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.diagnostics import Diagnosis, error, warning
from bot.domain.authority.person_lookup import named
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.workflow import filing, filing_form
from bot.service.queries import HomeContents
from handlers.doctor.lookups import Lookups, No
from handlers.views.approval_card import card
from handlers.views.home import home
from handlers.views.kit.blocks import Block, Message, message, section
from handlers.views.kit.context import ViewContext
from handlers.views.receipt import receipt
from handlers.views.request_form import FormDraft, form

_SAMPLE = "R-00000000"


async def examine_live(lookups: Lookups, policy: Policy, me: str, now: datetime) -> list[Diagnosis]:
    """Validates the samples, and sends a message to `me` (a label or id; empty: none is sent)."""
    found = [f for name, payload in samples(policy, now) for f in _judged(name, await lookups.validate(payload))]
    if not me:
        return [*found, warning("live", "No message was sent: name yourself with --me PERSON or COUNTERSIGN_ME.")]
    said = "`countersign doctor --live`: this is how a message of ours arrives. Nothing is asked of you."
    person = named(policy, me)
    answer = await lookups.post(person.user if person else me.rpartition("/")[2], message(said, [section(said)]))
    if isinstance(answer, No):
        text = f"Slack did not take a message to {me} ({answer.word}): check the id, and that the app is installed."
        found.append(error("live", text))
    return found


def samples(policy: Policy, now: datetime) -> Iterator[tuple[str, Block]]:
    """The arguments of `blocks.validate`, each with a name for the finding."""
    scene = ViewContext(policy, now)
    for runbook in policy.runbooks.values():
        yield f"the form of {runbook.id}", {"view": form(FormDraft(None, runbook.id), [runbook], scene)}
    case = next((found for r in policy.runbooks.values() if (found := _case(policy, r, now))), None)
    if case is None:
        return
    owner = policy.domains[case.request.domain].owner
    sheet = HomeContents(owner, 1, 1, 0, (), (case,), (), (), None)
    yield "the card", _message(card(case, owner, scene))
    yield "the receipt", _message(receipt(case, scene))
    yield "the App Home", {"view": home(sheet, scene, may_ask=True)}


def _case(policy: Policy, runbook: Runbook, now: datetime) -> Case | None:
    """A sample request by the first possible requester; None where the runbook needs no approval."""
    asker = next((_person(policy, id_) for id_ in runbook.providers), None)
    if asker is None or runbook.escalation not in policy.escalation_policies:
        return None
    filled = filing_form.Form(_SAMPLE, asker, runbook.id, "a target", "a reason", runbook.default_duration, {})
    nothing = filing.Earlier(0, None, None, expired_recently=False)
    return filing.opened(policy, filled, runbook, nothing, now, 1.0)


def _person(policy: Policy, provider_id: str) -> Person | None:
    refs = sorted(policy.providers[provider_id].requesters, key=lambda ref: ref.user)
    return next((Person(min(ref.teams), ref.user) for ref in refs if ref.teams), None)


def _message(drawn: Message) -> Block:
    return {"message": {"blocks": list(drawn.blocks)}}


def _judged(name: str, answer: object) -> Iterator[Diagnosis]:
    if isinstance(answer, No):
        advice = "report it with the version of this program; what people see there may be refused"
        yield error("live", f"Slack refuses {name} ({answer.word}): {advice}.")

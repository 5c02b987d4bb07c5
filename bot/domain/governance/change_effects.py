"""What follows from a change of policy, for people who know no YAML: who decides now and before, what needs a yes, what became
wider and narrower, from when it counts, who is told, and what is left to do. Each is said also where nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.domain.authority.key_changes import endorsers, key_change
from bot.domain.authority.policy_rollout import Gain, gains
from bot.domain.governance import agreement, wording
from bot.domain.governance.changes import differences
from bot.domain.policy.model import Domain, Policy, Runbook
from bot.domain.policy.people import Person

_SHOWN = 8


def effects(old: Policy, new: Policy) -> Mapping[str, str]:
    """An answer to each question, for two sets that differ."""
    wider, narrower = list(gains(old, new)), list(gains(new, old))
    return {
        "Who decides": _some(_deciding(old, new)) or "the same people as before",
        "What needs a yes": _some(_consent(old, new)) or "the same as before",
        "Wider": _some(_gained(new, wider)) or "nothing",
        "Narrower": _some(_gained(old, narrower)) or "nothing",
        "From when": _when(old, new, wider),
        "Who is told": _told(new, wider),
        "What to do": _some(_left_to_do(old, new)) or "nothing",
    }


def _some(found: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    listed = list(dict.fromkeys(found))
    more = [f"and {len(listed) - _SHOWN} more"] if len(listed) > _SHOWN else []
    return "; ".join([*listed[:_SHOWN], *more])


def _deciding(old: Policy, new: Policy) -> Iterator[str]:
    """The people of each domain that the change is about, and who they were."""
    concerned = dict.fromkeys(id_ for one in differences(old, new) for id_ in one.domains)
    for id_ in concerned:
        before, after = old.domains.get(id_), new.domains.get(id_)
        was = _deciders(old, before) if before else "nobody: the domain is new"
        now = _deciders(new, after) if after else "nobody: the domain is gone"
        name = (after or before or new.domains[id_]).name
        yield f"{name}: {now} ({'as before' if was == now else f'before: {was}'})"


def _deciders(policy: Policy, domain: Domain) -> str:
    rota = policy.rotas.get(domain.on_call or "")
    parts = [f"the owner {_owners(policy, domain)}"]
    parts += [f"once reached the deputies {wording.people(policy, domain.deputies)}"] if domain.deputies else []
    parts += [f"whoever of {wording.people(policy, rota.people)} is on call"] if rota else []
    parts += [f"the risk owner {wording.person(policy, domain.risk_owner)}"] if domain.risk_owner else []
    return ", ".join(parts)


def _owners(policy: Policy, domain: Domain) -> str:
    """`Olga, from 1 January 2027 Ines`."""
    later = [
        f"from {wording.day(t.first)} {wording.person(policy, t.person)}" for t in domain.terms[1:] if t.first is not None
    ]
    first = domain.terms[0].person if domain.terms else domain.owner
    return " and ".join([wording.person(policy, first), *later])


def _consent(old: Policy, new: Policy) -> Iterator[str]:
    for id_ in dict.fromkeys((*new.runbooks, *old.runbooks)):
        was, now = (_asks_for(policy.runbooks.get(id_)) for policy in (old, new))
        if was != now:
            title = (new.runbooks.get(id_) or old.runbooks[id_]).title
            yield f"“{title}” {now} (before: {was})"


def _asks_for(runbook: Runbook | None) -> str:
    """What has to be said before something may be done."""
    if runbook is None:
        return "cannot be asked for"
    if runbook.kind == "finding":
        return "gives no access"
    if runbook.right == "autonomous":
        return "needs no yes"
    among = wording.joined([role.replace("_", " ") for role in runbook.requires])
    needs = f"needs {wording.approvals(runbook.approvals, runbook.signature)}{f', the {among} among them' if among else ''}"
    return f"opens at once in an emergency, else {needs}" if runbook.break_glass else needs


def _gained(policy: Policy, found: Iterable[Gain]) -> Iterator[str]:
    """What one set gives that the other does not."""
    for gain in found:
        if gain.people:
            yield f"what {wording.people(policy, gain.people)} may decide in {gain.domain.name}"
        yield from (rule for rule in gain.rules if not (gain.people and rule.startswith(f"{gain.domain.name}: ")))
        ruled = " ".join(gain.rules)
        yield from (f"“{runbook.title}”" for runbook in gain.easier if runbook.title not in ruled)


def _when(old: Policy, new: Policy, wider: Iterable[Gain]) -> str:
    if not list(wider):
        return "as soon as the bot has loaded it"
    delay, keys = old.policy_delay, key_change(old, new)
    if keys is not None:
        delay = max(delay, *(policy.signing.unendorsed_delay for policy in (old, new) if policy.signing is not None))
    held = new.agreement is not None and new.agreement.unconfirmed == "hold"
    confirmed = ", and what it gives a provider only once it is confirmed" if held else ""
    return (
        "what is narrower, as soon as the bot has loaded the change;"
        f" what is wider, only for requests filed {wording.lasting(delay)} after that or later{confirmed}"
    )


def _told(policy: Policy, wider: Iterable[Gain]) -> str:
    found = list(wider)
    if not found:
        return "nobody: a change that only takes away is not announced"
    people = list(dict.fromkeys(person for gain in found for person in gain.hears))
    channels = wording.joined([gain.domain.name for gain in found])
    return f"the channel of {channels}" + (f", and {wording.people(policy, people)}" if people else "")


def _left_to_do(old: Policy, new: Policy) -> Iterator[str]:
    """Who has to confirm which rows of the matrix, and who to endorse a change of the signing keys."""
    was, rows = agreement.matrix_rows(old), agreement.matrix_rows(new)
    mine: dict[Person, int] = {}
    for row in rows.values() if new.agreement is not None else ():
        if old.agreement is None or (was.get(row.key) != row and agreement.gives(old, new, row)):
            for person, _ in agreement.agreeing(new, row):
                mine[person] = mine.get(person, 0) + 1
    for person, count in mine.items():
        many = "1 row" if count == 1 else f"{count} rows"
        yield f"{wording.person(new, person)} confirms {many} of the matrix, when Countersign asks"
    keys = key_change(old, new)
    for domain, people in endorsers(keys, old).items() if keys is not None else ():
        who = " or ".join(wording.person(old, person) for person in people) or "nobody can"
        yield f"endorse the change of signing keys for {domain}: {who}"

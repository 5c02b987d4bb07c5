"""What is different between two policy sets, in sentences: the text of `matrix --diff` and of an announced change.

Each sentence belongs to the domains and runbooks that it is about, so that an owner reads only their own. Comments, order and
layout of the files change nothing, and who owns a domain today by an agreed date is no change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.governance import domain_sentences, provider_sentences, runbook_sentences, wording
from bot.domain.governance.sentences import Seen, Table, gained_and_lost, optional, replaced, silent, told
from bot.domain.policy.governance import Agreement, ReviewRules
from bot.domain.policy.model import NamedPerson, Policy
from bot.domain.policy.people import Humans


@dataclass(frozen=True, slots=True)
class Difference:
    """One sentence. `domains`: whose owners it concerns; empty: everybody. `runbook`: the row that it is about, or ""."""

    text: str
    domains: tuple[str, ...] = ()
    runbook: str = ""


def differences(old: Policy, new: Policy) -> Iterator[Difference]:
    """Every difference, by domain, then by what several domains share; nothing for sets that say the same."""
    for id_, before, after in _pairs(old.domains, new.domains):
        yield from _of(domain_sentences.changed(old, new, before, after), (id_,))
    for id_, book, changed in _pairs(old.runbooks, new.runbooks):
        domains = tuple(dict.fromkeys(r.domain for r in (changed, book) if r is not None))
        yield from _of(runbook_sentences.changed(old, new, book, changed), domains, id_)
    for id_, one, other in _pairs(old.providers, new.providers):
        yield from _of(provider_sentences.provider_changed(old, new, one, other), _asked_by(old, new, id_))
    for id_, rota, later in _pairs(old.rotas, new.rotas):
        yield from _of(provider_sentences.rota_changed(old, new, rota, later), _on_call(old, new, id_))
    for id_, ladder, following in _pairs(old.escalation_policies, new.escalation_policies):
        yield from _of(provider_sentences.ladder_changed(old, new, ladder, following), _escalated(old, new, id_))
    for _, line, rewritten in _pairs(_lines(old), _lines(new)):
        yield from _of(provider_sentences.person_changed(old, new, line, rewritten), ())
    yield from _of(told(POLICY, Seen(old, new, new.organisation), _undated(old), _undated(new)), ())


def sentences(old: Policy, new: Policy) -> tuple[str, ...]:
    """The texts alone, each once."""
    return tuple(dict.fromkeys(found.text for found in differences(old, new)))


def _of(texts: Iterator[str], domains: tuple[str, ...], runbook: str = "") -> Iterator[Difference]:
    return (Difference(text, domains, runbook) for text in texts)


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What either set has, by id: the new set's order first, then what is gone."""
    for id_ in dict.fromkeys((*new, *old)):
        if old.get(id_) != new.get(id_):
            yield id_, old.get(id_), new.get(id_)


def _lines(policy: Policy) -> dict[str, NamedPerson]:
    return {str(line.person): line for line in policy.people}


def _undated(policy: Policy) -> Policy:
    """The set with only what `POLICY` has sentences for; the rest is compared piece by piece above."""
    return replace(
        policy, domains={}, runbooks={}, providers={}, rotas={}, escalation_policies={}, people=(), files=(), digest=""
    )


def _asked_by(old: Policy, new: Policy, provider: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(r.domain for p in (new, old) for r in p.runbooks.values() if provider in r.providers)
    )  # fmt: skip


def _on_call(old: Policy, new: Policy, rota: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(d.id for p in (new, old) for d in p.domains.values() if d.on_call == rota))


def _escalated(old: Policy, new: Policy, ladder: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.domain for p in (new, old) for r in p.runbooks.values() if r.escalation == ladder))


def _joined_accounts(seen: Seen, old: Humans, new: Humans) -> Iterator[str]:
    more, fewer = [g for g in new.groups if g not in old.groups], [g for g in old.groups if g not in new.groups]
    yield from (f"The accounts {wording.joined(sorted(group))} now count as one person." for group in more)
    yield from (f"The accounts {wording.joined(sorted(group))} no longer count as one person." for group in fewer)


def _agreement(seen: Seen, old: Agreement | None, new: Agreement | None) -> Iterator[str]:
    if new is None:
        yield "Owners are no longer asked to confirm their part of this matrix."
    elif old is None:
        every, window = wording.lasting(new.every), wording.lasting(new.window)
        yield f"Every {every} owners are now asked to confirm their part of this matrix, and have {window} to answer."
        yield _UNCONFIRMED[new.unconfirmed]
    else:
        yield from told(AGREEMENT, seen, old, new)


def _review(seen: Seen, old: ReviewRules | None, new: ReviewRules | None) -> Iterator[str]:
    if new is None:
        yield "Owners are no longer asked to review what providers may do without asking first."
    elif old is None:
        every, glass = wording.lasting(new.every), wording.lasting(new.break_glass_every)
        yield (
            f"Every {every} owners now review what providers may do without asking first, break-glass every {glass};"
            f" they have {new.window_days} working days to answer."
        )
        yield _UNANSWERED[new.silence]
    else:
        yield from told(REVIEW, seen, old, new)


_UNCONFIRMED: Mapping[object, str] = {
    "hold": "What a change gives a provider now counts only once it is confirmed.",
    "warn": "What a change gives a provider now counts also while it is not confirmed; the risk owner is told of the silence.",
}
_UNANSWERED: Mapping[object, str] = {
    "narrow": "A right whose review nobody answers is now narrowed: each use needs a yes, and break-glass opens once per provider.",
    "keep": "A right whose review nobody answers now stays as it is.",
}
AGREEMENT: Table = {
    "every": replaced("Owners are now asked to confirm their part of this matrix every {new}{instead}.", wording.lasting),
    "window": replaced("Owners now have {new}{instead} to confirm their part of this matrix.", wording.lasting),
    "unconfirmed": lambda seen, old, new: iter((_UNCONFIRMED[new],)),
}
REVIEW: Table = {
    "every": replaced("What providers may do without asking first is now reviewed every {new}{instead}.", wording.lasting),
    "break_glass_every": replaced("Break-glass is now reviewed every {new}{instead}.", wording.lasting),
    "window_days": replaced("Owners now have {new} working days{instead} to answer a review."),
    "silence": lambda seen, old, new: iter((_UNANSWERED[new],)),
}


def _names(_seen: Seen, listed: list[Any]) -> str:
    return wording.joined([str(item) for item in listed])


_AT_THE_TOP: Callable[[Any], str] = domain_sentences.quoted
POLICY: Table = {
    **dict.fromkeys(
        ("people", "providers", "domains", "rotas", "escalation_policies", "runbooks", "files", "digest"), silent
    ),
    "organisation": replaced("{subject} is the new name{instead}.", _AT_THE_TOP),
    "contact": replaced("Questions now go to {new}{instead}."),
    "workspaces": gained_and_lost(
        "Members of the workspace {names} may now hold authority.", "Members of the workspace {names} may decide nothing any more.",
        _names,
    ),
    "auditors": gained_and_lost(
        "From now on {names} may read the whole log as an auditor.", "{names} may no longer read the whole log as an auditor.",
        lambda seen, listed: seen.people(listed),
    ),
    "humans": _joined_accounts,
    "policy_delay": replaced("A change that gives something now counts {new} after it was announced{instead}.", wording.lasting),
    "hold": replaced("“On it” now keeps the next step back for {new}{instead}.", wording.lasting),
    "retention": replaced("Evidence is now kept for {new}{instead}.", wording.lasting),
    "agreement": _agreement,
    "review": _review,
    "default_escalation": optional(
        "What names no escalation of its own is now escalated by {new}{instead}.",
        "There is no escalation for what names none of its own any more; before {old}.",
        _AT_THE_TOP,
    ),
    "reports": optional("Reports are now posted {new}{instead}.", "Reports are no longer posted {old}."),
    "report_thresholds": lambda seen, old, new: iter(("Other figures of a month now raise a flag in its report.",)),
    "signing": lambda seen, old, new: iter(
        ("Decisions can no longer be signed with passkeys.",) if new is None else ("How decisions are signed with passkeys changes.",)
    ),
}  # fmt: skip

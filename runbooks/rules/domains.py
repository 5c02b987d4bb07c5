"""Domains: who is accountable for what, by date where an owner changes on a day.

Dated owners follow each other without a gap and without an overlap; after the last day the risk owner answers, so a domain whose
last owner has an `until` needs a `risk_owner`.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from bot.domain.policy.governance import OwnerTerm
from bot.domain.policy.model import Domain
from bot.domain.policy.people import Person
from runbooks.parsing.findings import did_you_mean
from runbooks.parsing.scalars import day
from runbooks.parsing.schema import DomainShape, OwnerTermShape
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.on_call import read_hours
from runbooks.rules.people import Parties


def read_domains(parties: Parties, today: date | None) -> dict[str, Domain]:
    """The domains by id, with the owners of `today`; None: with the first ones."""
    found: dict[str, Domain] = {}
    for name, shape in parties.matrix.shape.domains.items():
        domain = _domain(parties, name, shape)
        if domain is not None:
            found[name] = domain if today is None else domain.on(today)
    return found


def check_ladder(parties: Parties, name: str | None, path: Path) -> None:
    """Whether a `default_escalation` names an escalation policy."""
    ladders = parties.matrix.written("escalation_policies")
    if name is not None and name not in ladders and not parties.matrix.is_broken("escalation_policies", ""):
        guess = did_you_mean(name, ladders)
        parties.matrix.sheet.error(path, f"`{name}` is not in `escalation_policies`: add it there or correct it.{guess}")


def _domain(parties: Parties, name: str, shape: DomainShape) -> Domain | None:
    sheet, path = parties.matrix.sheet, ("domains", name)
    terms = _terms(parties, name, shape)
    owners = tuple(dict.fromkeys(term.person for term in terms))
    deputies = parties.people(
        shape.deputies, (*path, "deputies"), f"A deputy of domain `{name}`", owners[0] if len(owners) == 1 else None
    )
    risk_owner = _one(parties, shape.risk_owner, (*path, "risk_owner"), f"The risk owner of domain `{name}`")
    evidence = _one(parties, shape.evidence_owner, (*path, "evidence_owner"), f"The evidence owner of domain `{name}`")
    if not shape.deputies:
        sheet.warning(path, f"Domain `{name}` has no deputies, nobody stands in for the owner: add `deputies`.")
    if terms and terms[-1].last is not None and shape.risk_owner is None:
        text = f"Domain `{name}` has no owner after {terms[-1].last}: add the next one, or a `risk_owner` who then answers."
        sheet.error((*path, "owner"), text)
    rotas = parties.matrix.shape.rotas or {}
    if shape.on_call and shape.on_call not in rotas and not parties.matrix.is_broken("rotas", shape.on_call):
        sheet.error((*path, "on_call"), f"`{shape.on_call}` is not in `rotas`: add it there or correct it.")
    check_ladder(parties, shape.default_escalation, (*path, "default_escalation"))
    hours = read_hours(sheet, shape.hours, (*path, "hours")) if shape.hours else None
    if not terms:
        return None
    return Domain(
        name, shape.name, terms[0].person, shape.channel, deputies, risk_owner, shape.on_call,
        terms=() if isinstance(shape.owner, str) else terms, evidence_owner=evidence,
        risk_statement=shape.risk_statement or "", default_escalation=shape.default_escalation, hours=hours,
    )  # fmt: skip


def _one(parties: Parties, text: str | None, path: Path, what: str) -> Person | None:
    return parties.authority(text, path, what) if text else None


def _terms(parties: Parties, name: str, shape: DomainShape) -> tuple[OwnerTerm, ...]:
    """The owners, oldest first; empty where one of them cannot be resolved."""
    path: Path = ("domains", name, "owner")
    what = f"The owner of domain `{name}`"
    if isinstance(shape.owner, str):
        person = parties.authority(shape.owner, path, what)
        return (OwnerTerm(person),) if person else ()
    found = [_term(parties, term, (*path, index), what) for index, term in enumerate(shape.owner)]
    terms = tuple(term for term in found if term is not None)
    if len(terms) < len(found):
        return ()
    for index, (one, following) in enumerate(pairwise(terms), 1):
        _follows(parties, one, following, (*path, index))
    return terms


def _term(parties: Parties, shape: OwnerTermShape, path: Path, what: str) -> OwnerTerm | None:
    person = parties.authority(shape.person, (*path, "person"), what)
    first, last = day(shape.first) if shape.first else None, day(shape.until) if shape.until else None
    if first and last and last < first:
        parties.matrix.sheet.error(path, f"`until` {last} is before `from` {first}: correct one of the two.")
    return OwnerTerm(person, first, last) if person else None


def _follows(parties: Parties, one: OwnerTerm, following: OwnerTerm, path: Path) -> None:
    """The next owner begins on the day after the last day of the one before."""
    if one.last is None or following.first is None:
        text = "Two owners overlap: write `until` with the last day of one and `from` with the next day of the other."
        parties.matrix.sheet.error(path, text)
        return
    wanted = one.last + timedelta(days=1)
    if following.first != wanted:
        word = "nobody owns the domain" if following.first > wanted else "two people own the domain"
        text = f"Between {one.last} and {following.first} {word}: write `from: {wanted}`, the day after `until`."
        parties.matrix.sheet.error(path, text)

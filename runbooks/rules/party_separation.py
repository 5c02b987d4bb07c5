"""Parties are kept apart: a workspace, a person and a channel belong to one party only.

A provider sees its own requests only (design, section 5, rule 11), so nobody is of two providers, by any account, and
no channel is shared by two providers or by a provider and a domain.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from bot.domain.policy.people import Person
from runbooks.parsing.scalars import day
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.people import Parties


def check_apart(parties: Parties, today: date | None) -> None:
    """Everything that a provider might wrongly share; and contracts that have ended by `today`."""
    _workspaces(parties)
    _people(parties)
    _channels(parties)
    if today is not None:
        _contracts(parties, today)


def _workspaces(parties: Parties) -> None:
    sheet = parties.matrix.sheet
    seen: dict[str, str] = {}
    for index, team in enumerate(parties.homes):
        if team in seen:
            sheet.error(("workspaces", index), f"{team} stands here a second time: remove one of them.")
        seen[team] = "your own organisation (`workspaces`)"
    for name, shape in parties.matrix.shape.providers.items():
        for index, team in enumerate(shape.workspaces or ()):
            path: Path = ("providers", name, "workspaces", index)
            if team in seen:
                sheet.error(path, f"{team} belongs to {seen[team]} already: a workspace has one party, remove it here.")
            seen.setdefault(team, f"provider `{name}`")


def _people(parties: Parties) -> None:
    """By human: `same_person` may join accounts that two providers name."""
    seen: dict[str, str] = {}
    for name, user, path in _named(parties):
        human = parties.humans.key(Person("", user))
        first = seen.setdefault(human, name)
        if first != name:
            parties.matrix.sheet.error(
                path,
                f"{user} belongs to provider `{first}` already: a person has one party, remove them from one of the two.",
            )


def _named(parties: Parties) -> Iterator[tuple[str, str, Path]]:
    for name, shape in parties.matrix.shape.providers.items():
        for key in ("members", "requesters", "leads"):
            for index, text in enumerate(getattr(shape, key) or ()):
                path: Path = ("providers", name, key, index)
                user = text.rpartition("/")[2] if text[0].isupper() else parties.labels.get(text, (None, ""))[1]
                if user:
                    yield name, user, path
    for index, pair in enumerate(parties.accounts):
        for place, (team, user) in enumerate(pair):
            if team is not None and team in parties.foreign:
                yield parties.foreign[team], user, ("same_person", index, place)


def _channels(parties: Parties) -> None:
    shape, sheet = parties.matrix.shape, parties.matrix.sheet
    taken = {domain.channel: f"domain `{name}`" for name, domain in shape.domains.items()}
    for name, provider in shape.providers.items():
        if provider.channel is None:
            continue
        if provider.channel in taken:
            sheet.error(
                ("providers", name, "channel"),
                f"{provider.channel} is the channel of {taken[provider.channel]} already: give provider `{name}` a "
                "channel of its own, it may see its own requests only.",
            )
        taken.setdefault(provider.channel, f"provider `{name}`")


def _contracts(parties: Parties, today: date) -> None:
    for name, shape in parties.matrix.shape.providers.items():
        if shape.contract_until and day(shape.contract_until) < today:
            parties.matrix.sheet.warning(
                ("providers", name, "contract_until"),
                f"The contract of provider `{name}` ended on {shape.contract_until}, its requests are refused: renew "
                "the date, or remove the provider.",
            )

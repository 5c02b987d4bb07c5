"""Who is named, and on which side they are.

A bare `U…` is of the home workspace; under a provider, of the home workspace or of that provider's; with several home
workspaces `T…/U…` must be written. Only members of the home workspace hold authority. Nobody who belongs to a provider is ever
asked to decide, whichever of their accounts is named (party rule, design section 1), and nobody belongs to two
providers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bot.domain.policy.model import NamedPerson
from bot.domain.policy.people import Humans, Person, Ref
from bot.domain.policy.provider import Provider, provider_of
from bot.domain.policy.same_text import folded, mixed_scripts
from runbooks.parsing.findings import did_you_mean
from runbooks.parsing.scalars import day
from runbooks.parsing.schema import ProviderShape
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.matrix_salvage import Matrix

Account = tuple[str | None, str]  # team as written, user


@dataclass(frozen=True)
class Parties:
    """Resolves what people are called in the matrix; what it cannot resolve is reported and None."""

    matrix: Matrix
    labels: dict[str, Account] = field(default_factory=dict)
    providers: dict[str, Provider] = field(default_factory=dict)

    @property
    def homes(self) -> list[str]:
        return self.matrix.shape.workspaces

    @cached_property
    def foreign(self) -> Mapping[str, str]:
        """Workspace to the provider that owns it."""
        shapes = self.matrix.shape.providers
        return {team: name for name, shape in shapes.items() for team in shape.workspaces or ()}

    def account(self, text: str, path: Path) -> Account | None:
        """The account that an id or a label stands for."""
        if text in self.labels:
            return self.labels[text]
        if text[0].isupper():
            return _split(text)
        if not self.matrix.is_broken("people", text):
            self.matrix.sheet.error(
                path,
                f"`{text}` is nobody in `people`: add a line there or write a Slack user id."
                f"{did_you_mean(text, self.labels)}",
            )
        return None

    def authority(self, text: str, path: Path, what: str) -> Person | None:
        """Somebody who is to decide, or to audit; refused when a provider's or of no home workspace."""
        account = None if self._unclear(text) else self.account(text, path)
        person = self._at_home(account, path, what) if account else None
        if person is None:
            return None
        if provider := provider_of(self.providers.values(), self.humans, person):
            self.matrix.sheet.error(
                path,
                f"{what} is {_called(text, person)}, who belongs to provider `{provider.id}`: nobody of a provider "
                "decides, name somebody of your own organisation.",
            )
            return None
        return person

    def people(self, texts: list[str] | None, path: Path, what: str, owner: Person | None = None) -> tuple[Person, ...]:
        """A list of people who are to decide. Naming an account twice, or the owner as a deputy, is refused; a second
        account of a human who is named already is taken, and counts as the same human."""
        found: list[Person] = []
        for index, text in enumerate(texts or ()):
            person = self.authority(text, (*path, index), what)
            if person is None:
                continue
            if person == owner:
                self.matrix.sheet.error((*path, index), "The owner cannot be their own deputy: name somebody else.")
            elif person in found:
                again = f"{text} is somebody who stands in this list already: remove one of the two."
                self.matrix.sheet.error((*path, index), again)
            else:
                self._same_human(person, (owner, *found), (*path, index), text)
                found.append(person)
        return tuple(found)

    def _same_human(self, person: Person, others: Iterable[Person | None], path: Path, text: str) -> None:
        if any(other is not None and self.humans.same(person, other) for other in others):
            said = f"{text} is another account of somebody named here already, and counts as the same human: name another."
            self.matrix.sheet.warning(path, said)

    def _unclear(self, text: str) -> bool:
        """A label whose bare id is ambiguous; that is reported once, at its line in `people`."""
        return len(self.homes) > 1 and self.labels.get(text, ("", ""))[0] is None

    def _at_home(self, account: Account, path: Path, what: str) -> Person | None:
        team, user = account
        if team is None and len(self.homes) == 1:
            return Person(self.homes[0], user)
        if team is None:
            self.matrix.sheet.error(path, self.say_which(user))
            return None
        if team in self.homes:
            return Person(team, user)
        belongs = f", it belongs to provider `{self.foreign[team]}`" if team in self.foreign else ""
        self.matrix.sheet.error(
            path,
            f"{what} is of workspace {team}, which is not in `workspaces`{belongs}: name a member of a home workspace.",
        )
        return None

    def say_which(self, user: str) -> str:
        """The sentence for a bare id that is ambiguous."""
        return (
            f"`{user}` could be of any of {len(self.homes)} home workspaces: write the workspace too, "
            f"like `{self.homes[0]}/{user}`."
        )

    def refs(self, provider: str, key: str, texts: list[str] | None) -> tuple[Ref, ...]:
        """People of a provider."""
        found: list[Ref] = []
        for index, text in enumerate(texts or ()):
            path: Path = ("providers", provider, key, index)
            account = None if self._unclear(text) else self.account(text, path)
            ref = self._ref(account, provider, path) if account else None
            if ref is not None and any(ref.user == other.user for other in found):
                self.matrix.sheet.error(path, f"{text} is somebody who stands in this list already: remove one of the two.")
            elif ref is not None:
                found.append(ref)
        return tuple(found)

    def _ref(self, account: Account, provider: str, path: Path) -> Ref | None:
        team, user = account
        own = self.matrix.shape.providers[provider].workspaces or []
        if team is None and len(self.homes) > 1:
            self.matrix.sheet.error(path, self.say_which(user))
            return None
        if team is None:
            return Ref(user, frozenset([*self.homes, *own]))
        if team in self.homes or team in own:
            return Ref(user, frozenset([team]))
        self.matrix.sheet.error(
            path,
            f"Workspace {team} is neither a home workspace nor one of provider `{provider}`: correct it, or add it to "
            "the provider's `workspaces`.",
        )
        return None

    @cached_property
    def accounts(self) -> list[tuple[Account, Account]]:
        """`same_person`, resolved."""
        found: list[tuple[Account, Account]] = []
        for index, pair in enumerate(self.matrix.shape.same_person or ()):
            path: Path = ("same_person", index)
            resolved = [self.account(text, (*path, place)) for place, text in enumerate(pair)]
            self._known_teams(resolved, path)
            one, other = resolved
            if one and other and one[1] == other[1]:
                self.matrix.sheet.error(path, "These are equal user ids, one person already: remove the pair.")
            elif one and other:
                found.append((one, other))
        return found

    def _known_teams(self, accounts: list[Account | None], path: Path) -> None:
        for place, account in enumerate(accounts):
            team = account[0] if account else None
            if team is not None and team not in self.homes and team not in self.foreign:
                self.matrix.sheet.error(
                    (*path, place), f"Workspace {team} is neither home nor a provider's: correct the id."
                )

    @cached_property
    def humans(self) -> Humans:
        placed = (Person(team, user) for pair in self.accounts for team, user in pair if team is not None)
        return Humans.joined(([one[1], other[1]] for one, other in self.accounts), placed)


def read_parties(matrix: Matrix) -> Parties:
    """Labels first, then the providers, whose people may be labels."""
    parties = Parties(matrix)
    seen: dict[Account, str] = {}
    for label, shape in (matrix.shape.people or {}).items():
        team, user = parties.labels[label] = _split(shape.id)
        first = seen.setdefault((team or matrix.shape.workspaces[0], user), label)
        if first != label:
            matrix.sheet.error(
                ("people", label, "id"), f"{shape.id} is called `{first}` already: remove one of the two lines."
            )
    for name, provider in matrix.shape.providers.items():
        parties.providers[name] = _provider(parties, name, provider)
    return parties


def named_people(parties: Parties) -> tuple[NamedPerson, ...]:
    """The lines of `people:`; each must be of a home workspace or of a provider's."""
    found: list[NamedPerson] = []
    for label, shape in (parties.matrix.shape.people or {}).items():
        path: Path = ("people", label, "id")
        team, user = _split(shape.id)
        if team is None and len(parties.homes) > 1:
            parties.matrix.sheet.error(path, parties.say_which(user))
        elif team is not None and team not in parties.homes and team not in parties.foreign:
            parties.matrix.sheet.error(
                path, f"Workspace {team} is neither in `workspaces` nor a provider's: correct the id."
            )
        else:
            found.append(NamedPerson(label, Person(team or parties.homes[0], user), shape.name, shape.page))
    _alike(parties, found)
    return tuple(found)


def _alike(parties: Parties, named: Iterable[NamedPerson]) -> None:
    """Warns of people whose names look the same, and of names that mix scripts whose letters look alike."""
    seen: dict[str, NamedPerson] = {}
    for one in named:
        path: Path = ("people", one.label, "name")
        other = seen.setdefault(folded(one.name), one)
        if other.person != one.person:
            text = f"{one.name} looks like the name of `{other.label}`: write one so that people can tell them apart."
            parties.matrix.sheet.warning(path, text)
        if mixed := mixed_scripts(one.name):
            parties.matrix.sheet.warning(path, f"{mixed} mixes letters that look alike: use letters of one script.")


def _provider(parties: Parties, name: str, shape: ProviderShape) -> Provider:
    sheet, path = parties.matrix.sheet, ("providers", name)
    if not (shape.members or shape.workspaces):
        sheet.error(path, f"Provider `{name}` has no people: add `members` or `workspaces`.")
    elif not (shape.members or shape.requesters):
        sheet.warning(path, f"Nobody of provider `{name}` may ask: name them in `requesters`.")
    members = parties.refs(name, "members", shape.members)
    return Provider(
        id=name,
        name=shape.name,
        contract=shape.contract,
        contract_until=day(shape.contract_until) if shape.contract_until else None,
        channel=shape.channel,
        workspaces=frozenset(shape.workspaces or ()),
        members=members,
        requesters=parties.refs(name, "requesters", shape.requesters) if shape.requesters else members,
        leads=parties.refs(name, "leads", shape.leads),
        contract_from=day(shape.contract_from) if shape.contract_from else None,
        service=shape.service or "",
    )


def _split(text: str) -> Account:
    team, slash, user = text.partition("/")
    return (team, user) if slash else (None, team)


def _called(text: str, person: Person) -> str:
    return text if text[0].isupper() else f"{text} ({person.user})"

"""The state of a case for the check of signatures: its leaf hashes, what a signer must have read, and the approvals of its grant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.decision_log.entry_reader import read_moment
from bot.domain.policy.signing import Signature
from bot.domain.signing.statement import Statement

_NEWS = frozenset({
    "request.answered", "request.recommended", "request.withdrawn", "subject.verified", "evidence.added", "rotation.attested",
})  # fmt: skip
_QUESTIONS = frozenset({"extension.asked", "renewal.asked"})  # yeses to an earlier question count for nothing
GRANTS = frozenset({"grant.opened", "grant.extended", "exception.renewed"})
_LEAF = 32
_MOMENT = timedelta(seconds=5)  # an entry is logged a moment after its act


@dataclass(frozen=True, slots=True)
class Yes:
    """One yes of a quorum: the credential id that signed it ("" where the signature was erased), for how long or until which day
    (`YYYY-MM-DD`, else ""), and how many such yeses are needed."""

    credential: str
    seconds: int
    until: str = ""
    need: int = 1

    def gives(self, seconds: int, end: str) -> bool:
        """Whether it was given for as much: a day where it names one, else seconds."""
        return end[:10] <= self.until if self.until else seconds <= self.seconds


@dataclass(slots=True)
class SignedCase:
    """A case as it is known: when it began and by what clock, its runbook, the leaf hashes of its entries, and the signed yeses
    of the question that is open, by pseudonym."""

    at: datetime
    scale: float
    runbook: str
    demand: Signature
    before: int  # entries of it that were emptied, or are not there
    leaves: bytearray = field(default_factory=bytearray)
    news: int = -1  # position of the newest entry that a signer must have seen
    yeses: dict[str, Yes] = field(default_factory=dict)  # by pseudonym
    glass: bool = False  # a break-glass opened it, as its runbook lets it
    seconds: int = 0  # of the grant, as its newest entry says; with its end
    end: str = ""

    def follow(self, entry: Mapping[str, object]) -> None:
        """Takes in the leaf hash of the entry's predecessor, which the entry names."""
        prev = entry.get("case_prev")
        if isinstance(prev, str):
            self.leaves += _leaf(prev) or bytes(_LEAF)

    def vote(self, entry: Mapping[str, object], credential: str) -> None:
        """A signed yes to a request, or to more time."""
        data, actor = entry.get("data"), entry.get("actor")
        if entry.get("type") == "request.approved" and isinstance(data, dict) and isinstance(actor, dict):
            until = str(data.get("until", ""))[:10]
            self.yeses[str(actor.get("ref"))] = Yes(credential, whole(data.get("seconds")), until, whole(data.get("need")))

    def passed(self, entry: Mapping[str, object]) -> None:
        """The entry has been judged."""
        if entry.get("type") in _NEWS:
            self.news = position(entry)
        if entry.get("type") in _QUESTIONS:
            self.yeses.clear()
        data = entry.get("data")
        if entry.get("type") in GRANTS and isinstance(data, dict):
            self.seconds, self.end = whole(data.get("seconds")), end_of(data)

    def too_long(self, entry: Mapping[str, object], holding: Sequence[Yes]) -> Iterator[str]:
        """Whether a grant lasts longer than enough of these yeses gave, or than its own seconds say."""
        data, at = entry.get("data"), read_moment(entry.get("ts"))
        if not isinstance(data, dict) or at is None or (self.before and entry.get("type") != "grant.opened"):
            return
        opens = entry.get("type") == "grant.opened"
        seconds, end = whole(data.get("seconds")) - (0 if opens else self.seconds), end_of(data)
        need = max((yes.need for yes in holding), default=0)
        if sum(yes.gives(seconds, end) for yes in holding) < need:
            given = sorted((yes.until or f"{yes.seconds:>10}" for yes in holding), reverse=True)[
                min(need, len(holding)) - 1
            ]
            yield f"a grant of {seconds} seconds, of which {given.strip()} were signed"
        began, ends = at if opens else read_moment(self.end), read_moment(end)
        if began is not None and ends is not None and ends > began + timedelta(seconds=seconds) + _MOMENT:
            yield f"a grant until {end}, which is longer than its {seconds} seconds"

    def unread(self, statement: Statement) -> Iterator[str]:
        """Whether the entries that a statement names are of the case, and nothing came after what was seen."""
        if self.before:
            return  # the beginning was pruned
        asked, seen = (self._position(statement.about.get(name)) for name in ("asked", "seen"))
        if asked is None or seen is None or asked > seen:
            yield "the statement names entries that the case does not have"
        elif seen < self.news:
            yield "something came between what was shown and the yes"

    def _position(self, leaf: object) -> int | None:
        """The position in the case of the entry with this leaf hash; None if there is none."""
        wanted = _leaf(leaf)
        found = (n for n in range(0, len(self.leaves), _LEAF) if bytes(self.leaves[n : n + _LEAF]) == wanted)
        place = next(found, None) if wanted is not None else None
        return None if place is None else self.before + place // _LEAF


def end_of(data: Mapping[str, object]) -> str:
    """The end of a grant, or of an exception, by its entry."""
    return str(data.get("not_after", data.get("until", "")))


def whole(value: object) -> int:
    """A whole number of an entry; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def position(entry: Mapping[str, object]) -> int:
    """The entry's place in its case."""
    seq = entry.get("case_seq")
    return seq if isinstance(seq, int) else 0


def _leaf(text: object) -> bytes | None:
    try:
        found = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return None
    return found if len(found) == _LEAF else None

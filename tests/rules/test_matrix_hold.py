"""Whatever changes and whoever answers: under `hold` nothing is wider than what its owner confirmed last, and no emergency that
could be asked for is refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.governance import agreement
from bot.domain.governance.agreement import Spoken, Standing
from bot.domain.policy.governance import Agreement
from bot.domain.policy.model import BreakGlass, Policy, Runbook
from tests.bot.building import DAY, OWNER, T0, policy, runbook

RULES = Agreement(365 * 86400, 30 * 86400, "hold")
FIRST = policy(agreement=RULES, runbooks=[runbook("one", escalation="urgent")], digest="0")
RANK = {"approval": 0, "immediate": 1, "autonomous": 2}


@dataclass
class World:
    """The sets so far, and what is known of their rows, as the service keeps it."""

    sets: dict[str, Policy] = field(default_factory=dict)
    rows: dict[str, Standing] = field(default_factory=dict)
    current: Policy = FIRST
    last_word: Runbook = FIRST.runbooks["one"]  # what counted with the owner's last answer
    now: int = 0

    def adopt(self, new: Policy, old: Policy | None) -> None:
        self.sets[new.digest] = self.current = new
        self.rows = {s.key: s for s in agreement.adopted(old, new, self.rows, T0 + self.now * DAY)}

    def confirm(self) -> None:
        row = agreement.matrix_rows(self.current)["one"]
        word = Spoken("one", row.digest, OWNER, "owner", "confirmed", T0 + timedelta(days=self.now))
        if agreement.is_agreed(self.current, row, [word]):
            self.rows["one"] = replace(self.rows["one"], open=False, base=self.current.digest, agreed_at=word.at)
        self.last_word = self.current.runbooks["one"]

    def counted(self) -> Runbook:
        held = {s.key: self.sets.get(s.base) for s in self.rows.values() if s.open and s.base != self.current.digest}
        return agreement.as_counted(self.current, held, []).runbooks["one"]


glass = st.one_of(st.none(), st.builds(BreakGlass, st.integers(60, 7200), st.none()))
changes = st.fixed_dictionaries(
    {
        "right": st.sampled_from(["approval", "immediate", "autonomous"]), "max_duration": st.integers(60, 86400),
        "approvals": st.integers(1, 3), "break_glass": glass,
        "providers": st.sampled_from([("northgate",), ("watchfield",), ("northgate", "watchfield")]),
    }
)  # fmt: skip
acts = st.lists(st.one_of(st.just("confirm"), st.just("silence"), changes), max_size=12)


@given(acts)
def test_nothing_is_wider_than_the_owners_last_answer(script: list[object]) -> None:
    world = World()
    world.adopt(FIRST, replace(FIRST, agreement=None, digest="before"))
    world.confirm()
    for number, act in enumerate(script, 1):
        world.now, before = number, set(world.counted().providers)
        if act == "confirm":
            world.confirm()
        elif isinstance(act, dict):
            book = replace(FIRST.runbooks["one"], **act, default_duration=60)
            world.adopt(replace(FIRST, runbooks={"one": book}, digest=str(number)), world.current)
        counted, allowed = world.counted(), world.last_word
        assert counted.max_duration <= allowed.max_duration
        assert counted.approvals >= allowed.approvals
        assert RANK[counted.right] <= RANK[allowed.right]
        assert set(counted.providers) <= set(allowed.providers)
        assert counted.break_glass is None or allowed.break_glass is not None
        still = set(world.current.runbooks["one"].providers) & before
        assert set(counted.providers) >= still, "an emergency that could be asked for before is refused"

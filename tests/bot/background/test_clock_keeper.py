"""A clock that jumps never revives or opens anything (rule 12): the real service, sweeper and store, and a clock that is set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.background.clock_keeper import KEEP, ClockKeeper
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.errors import StorageError
from bot.http.health import Health
from storage.log.check import check_database
from tests.bot.building import DAY, DEP1, HOUR, MINUTE, OWNER, PE1, T0, home, policy, with_domain
from tests.bot.jumpy import JumpyClock
from tests.bot.office import Office
from tests.database import place

SECOND, NEW = timedelta(seconds=1), home("U0NEW")
JUMPS = [2 * DAY, HOUR, 61 * SECOND, -61 * SECOND, -HOUR, -2 * DAY]
PENDING, APPROVED = RequestState.PENDING, RequestState.APPROVED


class Watched:
    """An office with its timekeeper."""

    def __init__(self, path: Path) -> None:
        self.clock = JumpyClock()
        self.office = Office(path, policy(), clock=self.clock)  # type: ignore[arg-type]

    async def open(self) -> Watched:
        await self.office.open()
        await self._begin()
        return self

    async def _begin(self) -> None:
        self.keeper = ClockKeeper(self.office.store, self.clock)
        await self.keeper.begin()

    async def restart(self, boot: str = "boot-1") -> None:
        """A new process, in the same boot of the machine or in another."""
        await self.office.close()
        self.clock = self.office.clock = self.clock.reborn(boot)  # type: ignore[assignment]
        await self.office.open()
        await self._begin()

    async def accepts(self) -> None:
        assert await self.office.store.clock.request_acceptance()
        await self.keeper.look()

    def anomalies(self) -> list[dict[str, Any]]:
        return [e["data"] for e in self.office.log() if e["type"] == "clock.anomaly"]

    def yeses(self) -> int:
        return int(self.office.rows("SELECT count(*) AS n FROM vote WHERE answer = 'yes'")[0]["n"])


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    opened = await Watched(tmp_path / "countersign.db").open()
    yield opened
    await opened.office.close()
    assert check_database(place(tmp_path / "countersign.db")).findings == ()


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_after_a_jump_a_yes_leaves_no_yes_and_its_author_gets_a_sentence(watched: Watched, jump: timedelta) -> None:
    case_id = await watched.office.file(PE1)
    watched.clock.jump(jump)
    await watched.office.click(OWNER, case_id)
    assert (watched.yeses(), (await watched.office.case(case_id)).grant) == (0, None)
    assert [a["sentence"] for a in watched.office.answers()] == (["clock_jumped"] if jump < HOUR else ["late"])
    assert watched.office.types(case_id)[-1] == "decision.refused"


async def test_a_yes_that_would_not_complete_the_quorum_is_not_kept_either(watched: Watched) -> None:
    case_id = await watched.office.file(PE1, "pair")
    watched.clock.jump(-HOUR)
    await watched.office.click(OWNER, case_id)
    assert watched.yeses() == 0


async def test_what_takes_away_runs_while_giving_is_frozen(watched: Watched) -> None:
    office = watched.office
    denied, withdrawn, expiring = [await office.file(PE1, target=f"srv-{n}") for n in range(3)]
    watched.clock.jump(-HOUR)
    await office.click(OWNER, denied, "deny")
    await office.click(PE1, withdrawn, "withdraw")
    await office.forward(45 * MINUTE)
    found = [await office.state(case_id) for case_id in (denied, withdrawn, expiring)]
    assert found == [RequestState.DENIED, RequestState.WITHDRAWN, RequestState.EXPIRED]


async def test_people_are_still_asked_in_time_after_a_jump_back(watched: Watched) -> None:
    case_id = await watched.office.file(PE1)
    watched.clock.jump(-6 * HOUR)
    await watched.office.forward(10 * MINUTE)
    assert [what for _, what, _ in watched.office.steps(case_id)] == [
        "notify owner", "remind owner", "notify deputies", "notify on_call",
    ]  # fmt: skip
    assert watched.office.steps(case_id)[-1][0] == "10m"


async def test_a_jump_back_revives_no_expired_request_not_even_unswept(watched: Watched) -> None:
    case_id = await watched.office.file(PE1)
    watched.office.sleep(46 * MINUTE)
    assert watched.clock.now() == T0 + 46 * MINUTE
    watched.clock.jump(-40 * MINUTE)
    await watched.office.click(OWNER, case_id)
    assert [a["sentence"] for a in watched.office.answers()] == ["late"]
    await watched.office.sweeper.sweep()
    assert await watched.office.state(case_id) is RequestState.EXPIRED


async def test_a_jump_back_lets_no_grant_last_longer(watched: Watched) -> None:
    case_id = await watched.office.file(PE1)
    await watched.office.click(OWNER, case_id)
    watched.clock.jump(-5 * HOUR)
    await watched.office.forward(HOUR)
    assert (await watched.office.case(case_id)).grant.state is GrantState.LAPSED  # type: ignore[union-attr]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_a_jump_is_logged_once_and_lasts_over_restarts_until_it_is_accepted(
    watched: Watched, jump: timedelta
) -> None:
    watched.clock.jump(jump)
    await watched.keeper.look()
    for boot in ("boot-1", "boot-2", "boot-2"):
        await watched.restart(boot)
        assert watched.clock.jumped() == jump
    assert watched.anomalies() == [{"jump_ms": jump // timedelta(milliseconds=1)}]
    await watched.accepts()
    assert watched.clock.jumped() is None
    assert watched.anomalies()[1:] == [{"jump_ms": jump // timedelta(milliseconds=1), "accepted": True}]
    await watched.restart("boot-2")
    assert watched.clock.jumped() is None


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_after_the_acceptance_a_yes_counts_and_time_is_the_machine_s(watched: Watched, jump: timedelta) -> None:
    watched.clock.jump(jump)
    await watched.keeper.look()
    await watched.accepts()
    assert watched.clock.now() == watched.clock.at
    case_id = await watched.office.file(PE1)
    await watched.office.click(OWNER, case_id)
    assert await watched.office.state(case_id) is APPROVED
    assert watched.office.log()[-1]["ts"][:19] == watched.clock.at.isoformat()[:19]


async def test_accepting_a_clock_that_went_back_leaves_everything_as_long_as_it_was(watched: Watched) -> None:
    office = watched.office
    granted, waiting = await office.file(PE1), await office.file(PE1, target="srv-2")
    await office.click(OWNER, granted)
    await office.forward(20 * MINUTE)
    watched.clock.jump(-365 * DAY)
    await watched.keeper.look()
    await watched.accepts()
    assert (await office.case(granted)).grant.not_after - watched.clock.now() == 40 * MINUTE  # type: ignore[union-attr]
    assert (await office.case(waiting)).approval.expires_at - watched.clock.now() == 25 * MINUTE
    await office.forward(25 * MINUTE)
    assert await office.state(waiting) is RequestState.EXPIRED
    await office.forward(15 * MINUTE)
    assert (await office.case(granted)).grant.state is GrantState.LAPSED  # type: ignore[union-attr]


async def test_an_absence_lasts_as_long_as_it_would_have_after_time_stepped_back(watched: Watched) -> None:
    await watched.office.away(OWNER, HOUR)
    watched.office.sleep(20 * MINUTE)
    watched.clock.jump(-DAY)
    await watched.keeper.look()
    await watched.accepts()
    found = await watched.office.store.absences.of(OWNER)
    assert found is not None
    assert (found.since, found.until) == (watched.clock.now() - 20 * MINUTE, watched.clock.now() + 40 * MINUTE)


async def test_new_authority_still_waits_for_the_policy_delay_after_time_stepped_back(watched: Watched) -> None:
    """The request is older than the change, whatever the calendar says since."""
    office = watched.office
    case_id = await office.file(PE1)
    office.sleep(20 * MINUTE)
    watched.clock.jump(-DAY)
    await watched.keeper.look()
    await watched.accepts()
    await office.adopt(with_domain(policy(), owner=NEW))
    await office.click(NEW, case_id)
    assert watched.yeses() == 0
    assert [a["sentence"] for a in office.answers()] == ["too_new"]


async def test_a_deadline_that_passed_before_the_acceptance_stays_passed(watched: Watched) -> None:
    case_id = await watched.office.file(PE1)
    watched.clock.jump(-DAY)
    await watched.keeper.look()
    watched.office.sleep(46 * MINUTE)
    await watched.accepts()
    await watched.office.click(OWNER, case_id)
    assert watched.yeses() == 0
    await watched.office.sweeper.sweep()
    assert await watched.office.state(case_id) is RequestState.EXPIRED


async def test_days_of_downtime_are_no_jump(watched: Watched) -> None:
    case_id = await watched.office.file(PE1, "pair")
    for boot in ("boot-1", "boot-2"):
        watched.office.sleep(2 * DAY)
        await watched.restart(boot)
    assert (watched.anomalies(), watched.keeper.findings()) == ([], ())
    await watched.office.sweeper.sweep()
    assert await watched.office.state(case_id) is RequestState.EXPIRED


async def test_a_restart_finds_a_clock_that_was_set_while_nothing_ran(watched: Watched) -> None:
    watched.office.sleep(MINUTE)
    watched.clock.jump(3 * HOUR)  # and no look at it before the process ends
    watched.clock = watched.clock.reborn()
    await ClockKeeper(watched.office.store, watched.clock).begin()
    assert watched.clock.jumped() == 3 * HOUR


async def test_a_machine_that_booted_with_its_clock_behind_the_log_gives_nothing(watched: Watched) -> None:
    case_id = await watched.office.file(PE1)
    watched.clock.jump(-HOUR)
    await watched.restart("boot-2")
    await watched.office.click(OWNER, case_id)
    assert watched.yeses() == 0
    assert watched.clock.now() >= T0


async def test_the_mark_is_written_every_few_seconds_and_not_at_each_look(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []
    keep_time = watched.office.store.clock.keep

    async def noted(mark: Any, entries: Any = ()) -> None:
        kept.append(mark)
        await keep_time(mark, entries)

    monkeypatch.setattr(watched.office.store.clock, "keep", noted)
    for _ in range(120):
        watched.office.sleep(timedelta(seconds=0.25))
        await watched.keeper.look()
    assert len(kept) == 30 // KEEP


async def test_an_acceptance_that_cannot_be_written_changes_nothing(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.clock.jump(-HOUR)
    await watched.keeper.look()

    async def full(accept: Any, entry: Any) -> None:
        accept()
        raise StorageError("The disk is full.")

    monkeypatch.setattr(watched.office.store.clock, "accept", full)
    with pytest.raises(StorageError):
        await watched.accepts()
    assert watched.clock.jumped() == -HOUR
    assert watched.clock.now() >= T0


async def test_a_running_timekeeper_takes_the_operator_s_wish_and_readyz_is_well_again(watched: Watched) -> None:
    health, stop = Health(watched.clock, socket_mode=True), asyncio.Event()
    health.up()
    health.also(watched.keeper.findings)
    watched.clock.jump(2 * HOUR)
    (found,) = health.findings()
    assert found.startswith("The clock jumped 2 h ahead")
    running = asyncio.create_task(watched.keeper.run(stop))
    while not await watched.office.store.clock.request_acceptance():
        await asyncio.sleep(0)
    while health.findings():
        await asyncio.sleep(0.01)
    stop.set()
    await running


async def test_the_store_itself_gives_nothing_while_a_jump_stays_in_it(watched: Watched) -> None:
    """Also for a process that does not keep the time, such as the command line beside the bot."""
    case_id = await watched.office.file(PE1)
    watched.clock.jump(HOUR // 2)
    await watched.keeper.look()
    watched.office.clock = watched.office.mortal._store.inbox._clock = watched.clock.machine  # type: ignore[attr-defined,assignment]
    watched.office.put_together()
    await watched.office.click(OWNER, case_id)
    assert watched.yeses() == 0
    assert [a["sentence"] for a in watched.office.answers()] == ["clock_jumped"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["pass", "jump", "restart", "reboot", "yes", "sweep"]), st.integers(-3 * 86_400, 3 * 86_400)
        ),
        max_size=12,
    )
)
def test_whatever_the_clock_does_nothing_is_revived_and_nothing_given_while_it_is_doubted(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, int]]
) -> None:
    async def played() -> None:
        watched = await Watched(tmp_path_factory.mktemp("clock") / "c.db").open()
        office = watched.office
        cases = [await office.file(PE1, "pair", target=f"srv-{n}") for n in range(2)]
        final: dict[str, RequestState] = {}
        for number, (move, seconds) in enumerate(moves):
            before, doubted = watched.yeses(), watched.clock.jumped()
            match move:
                case "pass":
                    office.sleep(timedelta(seconds=abs(seconds) % 1800))
                case "jump":
                    watched.clock.jump(timedelta(seconds=seconds))
                case "restart":
                    await watched.restart(watched.clock.boot)
                case "reboot":
                    await watched.restart(f"boot-{number + 2}")
                case "yes":
                    await office.click((OWNER, DEP1)[seconds % 2], cases[seconds % 3 % 2])
                case _:
                    await office.sweeper.sweep()
            await watched.keeper.look()
            assert watched.yeses() == before or doubted is None
            for case_id in cases:
                state = await office.state(case_id)
                assert final.get(case_id, state) is state
                if state is not PENDING:
                    final[case_id] = state
        await office.close()
        assert check_database(place(office.path)).findings == ()

    asyncio.run(played())

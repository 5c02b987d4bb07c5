"""`every` repeats work until a stop and logs its own errors only; `until` ends what never ends by itself."""

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.background.loop import every, pause, until
from bot.domain.errors import StorageError

SOON, LONG = 0.001, 60.0  # seconds


class Work:
    """Sets `stop` at the end of its third run. `answers` are what the runs return or raise."""

    def __init__(self, stop: asyncio.Event, *answers: float | Exception | None) -> None:
        self.stop, self.runs, self._answers = stop, 0, iter([*answers, None, None, None])

    async def __call__(self) -> float | None:
        self.runs += 1
        if self.runs == 3:
            self.stop.set()
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def stop() -> asyncio.Event:
    return asyncio.Event()


async def test_work_is_repeated_until_the_stop(stop: asyncio.Event) -> None:
    work, beats = Work(stop), list[int]()
    await every(SOON, work, stop, beat=lambda: beats.append(work.runs))
    assert work.runs == 3
    assert beats == [0, 1, 2]


async def test_nothing_is_done_after_a_stop(stop: asyncio.Event) -> None:
    stop.set()
    work = Work(stop)
    await every(SOON, work, stop)
    assert work.runs == 0


async def test_a_stop_ends_a_long_pause_at_once(stop: asyncio.Event) -> None:
    work = Work(stop)
    running = asyncio.create_task(every(LONG, work, stop))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert work.runs == 1


async def test_work_that_returns_seconds_sets_the_next_pause(stop: asyncio.Event) -> None:
    work = Work(stop, SOON, SOON)
    await asyncio.wait_for(every(LONG, work, stop), 5)
    assert work.runs == 3


async def test_an_error_of_ours_is_logged_and_the_work_tried_again(stop: asyncio.Event) -> None:
    work = Work(stop, StorageError("The disk is full."))
    with capture_logs() as logged:
        await every(SOON, work, stop, failed="work.failed")
    assert work.runs == 3
    assert [(line["event"], line["error"], line["log_level"]) for line in logged] == [
        ("work.failed", "The disk is full.", "error")
    ]


async def test_an_error_of_ours_ends_a_loop_that_names_no_event(stop: asyncio.Event) -> None:
    with pytest.raises(StorageError):
        await every(SOON, Work(stop, StorageError("The disk is full.")), stop)


async def test_a_fault_ends_the_loop(stop: asyncio.Event) -> None:
    with pytest.raises(ZeroDivisionError):
        await every(SOON, Work(stop, ZeroDivisionError()), stop, failed="work.failed")


async def test_a_pause_ends_by_itself(stop: asyncio.Event) -> None:
    await asyncio.wait_for(pause(SOON, stop), 5)
    assert not stop.is_set()


async def test_endless_work_is_cancelled_at_a_stop(stop: asyncio.Event) -> None:
    cancelled = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    running = asyncio.create_task(until(stop, endless()))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert cancelled.is_set()


async def test_what_work_raises_before_the_stop_is_raised(stop: asyncio.Event) -> None:
    async def broken() -> None:
        raise StorageError("The disk is full.")

    with pytest.raises(StorageError):
        await until(stop, broken())

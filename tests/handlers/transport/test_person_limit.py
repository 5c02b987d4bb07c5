"""A flood of one person's payloads queues behind itself; nobody else waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from handlers.transport.person_limit import AT_ONCE, PersonLimit, sender

PAVEL, OLGA = {"user": {"id": "U0PAVEL"}}, {"user": {"id": "U0OLGA"}}


async def _settled() -> None:
    """Every task has run as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Taken:
    """Payloads that are taken in and stay in hand until `release`."""

    def __init__(self) -> None:
        self.limit, self.inside = PersonLimit(), list[int]()
        self.release = asyncio.Event()

    async def take(self, number: int, body: Mapping[str, Any]) -> None:
        async with self.limit.of(body):
            self.inside.append(number)
            await self.release.wait()


async def test_more_than_a_few_of_one_person_wait_and_somebody_else_does_not() -> None:
    taken = Taken()
    tasks = [asyncio.ensure_future(taken.take(number, PAVEL)) for number in range(AT_ONCE + 3)]
    await _settled()
    assert taken.inside == list(range(AT_ONCE))
    tasks.append(asyncio.ensure_future(taken.take(99, OLGA)))
    await _settled()
    assert taken.inside[-1] == 99
    taken.release.set()
    await asyncio.gather(*tasks)
    assert sorted(taken.inside) == [*range(AT_ONCE + 3), 99]
    assert [one for one in taken.inside if one != 99] == list(range(AT_ONCE + 3))


async def test_a_payload_that_fails_or_is_cancelled_leaves_its_place() -> None:
    limit, entered = PersonLimit(), 0
    for _ in range(AT_ONCE * 2):
        with pytest.raises(ValueError, match="broken"):
            async with limit.of(PAVEL):
                raise ValueError("broken")
    taken = Taken()
    tasks = [asyncio.ensure_future(taken.take(number, PAVEL)) for number in range(AT_ONCE * 2)]
    await _settled()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(5), taken.limit.of(PAVEL):
        entered += 1
    assert entered == 1


async def test_a_payload_without_a_person_never_waits() -> None:
    taken = Taken()
    tasks = [asyncio.ensure_future(taken.take(number, {"type": "event_callback"})) for number in range(AT_ONCE * 2)]
    await _settled()
    assert len(taken.inside) == AT_ONCE * 2
    taken.release.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    ("body", "person"),
    [
        ({"user": {"id": "U1", "name": "x"}}, "U1"), ({"user_id": "U2", "command": "/countersign"}, "U2"),
        ({"event": {"type": "app_home_opened", "user": "U3"}}, "U3"), ({"event": {"user": {"id": "U4"}}}, "U4"),
        ({}, ""), ({"user": None, "event": None}, ""), ({"user": {"id": 7}, "user_id": ""}, ""),
    ],
)  # fmt: skip
def test_the_sender_of_an_interaction_a_command_and_an_event(body: Mapping[str, Any], person: str) -> None:
    assert sender(body) == person

"""Where no runbook asks for a signature, nothing changes: every call to Slack is the same with `signing` and passkeys in the policy as without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.domain.policy.model import Policy
from bot.domain.policy.signing import Signing
from tests.bot import parts
from tests.bot.building import DAY, HOUR, MINUTE, OWNER, PE1, policy
from tests.bot.office import Office, covered
from tests.bot.passkeys import KEYS, ORIGIN, RP, named
from tests.handlers.fake_slack import FakeSlack

PEOPLE = tuple(named(person) for person in KEYS)
KEYED = tuple(named(person, key.passkey()) for person, key in KEYS.items())


async def scenario(office: Office, said: Any) -> None:
    """A request that is escalated, approved, prolonged and finished; a no; a break-glass that is ratified; an end by the clock."""
    case = await office.file(PE1)
    await said()
    await office.forward(6 * MINUTE)
    await said()
    await office.click(OWNER, case)
    await said()
    await office.forward(50 * MINUTE)
    await said()
    await office.click(PE1, case, "finish")
    denied = await office.file(PE1, "ticketed", fields={"ticket": "INC7"})
    await office.sweeper.sweep()
    await said()
    await office.click(OWNER, denied, "deny")
    glass = await office.file(PE1, "glass")
    await office.sweeper.sweep()
    await said()
    opened = (await office.case(glass)).later[0]
    await office.click(OWNER, glass, "ratify", opened.version)
    await said()
    pair = await office.file(PE1, "pair")
    await office.away(OWNER, DAY)
    await office.sweeper.sweep()
    await said()
    await office.forward(2 * HOUR)
    assert pair
    await said()


async def calls(path: Path, base: Policy) -> list[str]:
    """Every call to Slack of the scenario, without the ids that Slack itself gives."""
    async with Office(path, base) as office, FakeSlack() as slack:
        sender = parts.sender(office, slack.client(), covered)
        await scenario(office, sender.drain)
        await office.service.outage.look()
        await sender.drain()
        return sorted(json.dumps([call.method, _plain(call.args)], sort_keys=True) for call in slack.calls)


def _plain(args: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in args.items() if name not in ("ts", "thread_ts", "metadata")}


async def test_the_calls_to_slack_are_the_same_with_keys_in_the_policy_as_without(tmp_path: Path) -> None:
    plain = replace(policy(), people=PEOPLE)
    keyed = replace(policy(), people=KEYED, signing=Signing(RP, ORIGIN, when_slack_is_down="nobody"))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    without, with_ = await calls(tmp_path / "a" / "c.db", plain), await calls(tmp_path / "b" / "c.db", keyed)
    assert len(without) > 20
    assert with_ == without

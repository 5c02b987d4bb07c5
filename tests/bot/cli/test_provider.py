"""`countersign provider` as somebody on the host types it."""

from __future__ import annotations

import pytest

from bot import terminal
from bot.cli.provider import app
from bot.domain.case.lifecycle import RequestState
from storage.log.check import check_database
from tests.bot.hosting import Host
from tests.database import place


async def test_suspend_counts_at_once_in_every_domain_that_serves_the_provider(host: Host) -> None:
    case_id = await host.ask()
    request = (await host.case(case_id)).request
    provider = host.policy.providers[request.provider]
    code, text = await host.type("suspend", provider.name, "--reason", "Odd logins", app=app)
    assert code == 0
    assert text.startswith(f"{provider.name} is suspended in ")
    assert host.policy.domains[request.domain].name in text
    await host.sweeper.sweep()
    assert await host.state(case_id) is RequestState.EXPIRED
    code, text = await host.type("show", case_id)
    assert f"before its time: {provider.name} is suspended in " in text
    assert "provider.suspended" in [entry["type"] for entry in host.log()]
    code, text = await host.type("suspend", request.provider, "--reason", "Again", app=app)
    assert (code, text) == (1, f"{provider.name} is suspended everywhere already.")
    assert check_database(place(host.path)).findings == ()


async def test_an_unknown_name_or_no_reason_is_wrong_use(host: Host) -> None:
    code, text = await host.type("suspend", "nobody", "--reason", "x", app=app)
    assert code == 2
    assert "names no provider 'nobody'" in text
    assert (await host.type("suspend", next(iter(host.policy.providers)), "--reason", " ", app=app))[0] == 2
    assert (await host.type("suspend", next(iter(host.policy.providers)), app=app))[0] == 2


async def test_end_is_filed_and_two_people_confirm_it(host: Host) -> None:
    provider = next(iter(host.policy.providers))
    code, text = await host.type("end", provider, "--reason", "The contract was given notice", app=app)
    assert (code, text[:2]) == (0, "O-")
    act = await host.store.operator.action(text)
    assert act is not None
    assert (act.kind, act.hold) == ("provider_end", provider)
    code, text = await host.type("end", provider, app=app)  # the reason may be left out
    assert (code, text[:2]) == (0, "O-")
    assert (await host.type("end", "nobody", "--reason", "x", app=app))[0] == 2


async def test_at_a_terminal_a_suspension_says_who_lifts_it_where(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    provider = host.policy.providers["keyhold"]
    code, text = await host.type("suspend", "keyhold", "--reason", "Odd logins", app=app)
    assert code == 0
    assert f"{provider.name} is suspended in" in text
    assert "Who lifts it" in text
    assert f"{provider.name} is suspended in Privileged access vault." not in text

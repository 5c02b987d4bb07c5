"""`countersign requests` as somebody on the host types it, beside a bot that has the same database open."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.requests import GIVING, NOBODY_GIVES, _retry_on_conflict, app
from bot.clock import SystemClock
from bot.domain.case.click import Rejected
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow.asks.approval import deny_on_host
from bot.ports.commands import Press, ReplyAddress
from storage.log.check import check_database
from tests.bot.building import HOME, T0
from tests.bot.hosting import ASKER, Host
from tests.database import open_store, place, url

OWNER, OTHER = Person(HOME, "U0OWNER"), Person(HOME, "U0DEP1")


async def test_list_names_what_is_pending_or_open_and_its_target_and_never_its_reason(host: Host) -> None:
    pending, opened, denied = [await host.ask(target=f"dc-{n}") for n in range(3)]
    await host.click(OWNER, opened)
    await host.click(OWNER, denied, "deny")
    code, text = await host.type("list")
    assert code == 0
    assert pending in text
    assert f"{opened} open until" in text
    assert denied not in text
    assert text.startswith("REQUEST STATE")
    assert "on dc-0; northgate" in text
    assert "sync" not in text
    assert f"{denied} denied" in (await host.type("list", "--all"))[1]


async def test_list_as_json_is_one_array(host: Host) -> None:
    assert await host.type("list", "--json") == (0, "[]")
    case_id = await host.ask()
    found = json.loads((await host.type("list", "--json"))[1])
    assert [(one["id"], one["state"], one["requester"]) for one in found] == [(case_id, "pending", str(ASKER))]
    assert "target" not in found[0]


async def test_list_says_when_there_is_nothing(host: Host) -> None:
    assert await host.type("list") == (0, "Nothing is pending or open.")


async def test_show_reads_an_id_leniently_and_names_everybody(host: Host) -> None:
    case_id = await host.ask()
    await host.click(OWNER, case_id)
    code, text = await host.type("show", case_id.removeprefix("R-").lower())
    assert code == 0
    for wanted in ("was approved by Olga Novak", "dc-core-01", "sync stopped", "INC1001", "Its grant is open until"):
        assert wanted in text
    told = json.loads((await host.type("show", case_id, "--json"))[1])
    assert told["votes"][0]["id"] == str(OWNER)
    assert told["grant"]["state"] == "open"
    assert told["target"] == "dc-core-01"


async def test_what_a_person_typed_steers_no_terminal(host: Host) -> None:
    case_id = await host.ask(reason="\x1b[2J\x9b31m\u202e was approved\r\nR-FORGED", target="\x1b]0;x\x07")
    for words in (("show", case_id), ("show", case_id, "--json"), ("list",)):
        done = await asyncio.to_thread(CliRunner().invoke, app, list(words))
        assert not {c for c in done.output if not c.isprintable()} - {"\n"}
        assert not any(line.startswith("R-FORGED") for line in done.output.splitlines())


async def test_deny_is_final_and_the_running_bot_informs_everybody(host: Host) -> None:
    case_id = await host.ask()
    await host.deliver()
    code, text = await host.type("deny", case_id, "--reason", "Use the read-only account")
    assert code == 0
    assert text.startswith(f"{case_id} is denied.")
    assert (await host.state(case_id)).value == "denied"
    entry = host.log(case_id)[-1]
    assert (entry["type"], entry["actor"]) == ("request.denied", {"kind": "operator"})
    host.clock.at = SystemClock().now()
    said = [(o.say.purpose, o.say.to) for o in await host.deliver()]
    assert ("outcome", ASKER) in said
    assert ("card", OWNER) in said
    await host.click(OWNER, case_id)
    assert host.types(case_id)[-1] == "decision.refused"
    assert check_database(place(host.path)).findings == ()


async def test_revoke_ends_the_grant_in_state_log_and_slack(host: Host) -> None:
    case_id = await host.ask()
    await host.click(OWNER, case_id)
    code, text = await host.type("revoke", case_id, "--reason", "laptop stolen")
    assert code == 0
    assert text.startswith(f"{case_id} is revoked. End the session in the target system, too.")
    grant = (await host.case(case_id)).grant
    assert grant is not None
    assert grant.state.value == "revoked"
    entry = next(e for e in host.log(case_id) if e["type"] == "grant.revoked")
    assert (entry["type"], entry["actor"]["kind"], entry["data"]["closed_by"]) == ("grant.revoked", "operator", "attested")
    assert "laptop" not in json.dumps(entry, default=str)
    host.sleep(timedelta(days=1))
    await host.sweeper.sweep()
    assert [t for t in host.types(case_id) if t.startswith("grant.")] == ["grant.opened", "grant.revoked"]
    assert check_database(place(host.path)).findings == ()


@pytest.mark.parametrize("word", sorted(GIVING))
async def test_nobody_approves_on_the_host(host: Host, word: str) -> None:
    """A second door, the command line of an administrator, approved elsewhere what the first refused."""
    case_id = await host.ask()
    before = len(host.log())
    assert await host.type(word, case_id, "--reason", "x") == (2, NOBODY_GIVES)
    assert len(host.log()) == before
    assert (await host.state(case_id)).value == "pending"


async def test_the_help_names_no_command_that_gives(host: Host) -> None:
    _, text = await host.type("--help")
    assert {"list", "show", "deny", "revoke"} <= set(text.split())
    assert not GIVING & set(text.lower().replace(".", " ").split()) - {"open", "grant", "approve"}


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("show", "R-00000ZZZ"), 1, "There is no request R-00000ZZZ. See: countersign requests list --all"),
        (("deny", "R-00000ZZZ", "--reason", "x"), 1, "There is no request R-00000ZZZ."),
        (("revoke", "r00000zzz", "--reason", "x"), 1, "There is no request R-00000ZZZ."),
        (("revoke", "r00000zzz9", "--reason", "x"), 2, "is no request id; one looks like R-7K3M9QX2."),
        (("show", "everything"), 2, "is no request id"),
        (("deny", "R-00000ZZZ", "--reason", "  "), 2, "Give a reason"),
        (("revoke", "R-00000ZZZ", "--reason", ""), 2, "Give a reason"),
        (("deny", "R-00000ZZZ", "--reason", "x" * 1001), 2, "at most 1000 characters"),
        (("deny", "R-00000ZZZ"), 2, "--reason"),
        (("destroy",), 2, "No such command"),
    ],
)
async def test_wrong_use_and_unknown_ids_are_sentences(
    host: Host, words: tuple[str, ...], code: int, sentence: str
) -> None:
    got, text = await host.type(*words)
    assert got == code
    assert sentence in text


async def test_a_decided_request_says_who_decided_and_when(host: Host) -> None:
    case_id = await host.ask()
    await host.click(OWNER, case_id, "deny")
    before = len(host.log())
    for word in ("deny", "revoke"):
        code, text = await host.type(word, case_id, "--reason", "x")
        assert code == 1
        assert text.startswith(f"Nothing was changed. {case_id} was denied by Olga Novak ({OWNER}) at 20")
    assert len(host.log()) == before


async def test_a_request_denied_on_the_host_says_so(host: Host) -> None:
    case_id = await host.ask()
    await host.type("deny", case_id, "--reason", "x")
    assert f"{case_id} was denied on the host at 20" in (await host.type("deny", case_id, "--reason", "x"))[1]


async def test_an_approved_request_cannot_be_denied_any_more_only_revoked(host: Host) -> None:
    case_id = await host.ask()
    await host.click(OWNER, case_id)
    code, text = await host.type("deny", case_id, "--reason", "x")
    assert code == 1
    assert f"countersign requests revoke {case_id}" in text
    await host.type("revoke", case_id, "--reason", "x")
    code, text = await host.type("revoke", case_id, "--reason", "x")
    assert code == 1
    assert "Its grant was revoked at 20" in text


async def test_a_pending_request_cannot_be_revoked_only_denied(host: Host) -> None:
    case_id = await host.ask()
    code, text = await host.type("revoke", case_id, "--reason", "x")
    assert code == 1
    assert f"countersign requests deny {case_id}" in text


async def test_what_expired_or_lapsed_while_the_bot_was_down_is_over(host: Host) -> None:
    host.clock.at = T0
    expired, lapsed = await host.ask(target="a"), await host.ask(target="b")
    await host.click(OWNER, lapsed)
    code, text = await host.type("deny", expired, "--reason", "x")
    assert code == 1
    assert f"{expired} expired at 2026-03-04 09:45:00 UTC: nobody decided in time." in text
    code, text = await host.type("revoke", lapsed, "--reason", "x")
    assert code == 1
    assert "Its grant lapsed at 2026-03-04 10:00:00 UTC." in text


async def test_a_click_and_the_host_at_the_same_instant_leave_one_outcome(host: Host) -> None:
    for n in range(5):
        case_id = await host.ask(target=f"race-{n}")
        typing = asyncio.ensure_future(host.type("deny", case_id, "--reason", "x"))
        await host.take_in(Press(OTHER, case_id, 1, "deny", ReplyAddress(OTHER), "no"))
        await host.worker.drain()
        code, _ = await typing
        types = host.types(case_id)
        assert types.count("request.denied") == 1
        assert (code == 0) == (host.log(case_id)[types.index("request.denied")]["actor"]["kind"] == "operator")
    assert check_database(place(host.path)).findings == ()


async def test_somebody_faster_makes_the_host_judge_again(host: Host) -> None:
    case_id, judged = await host.ask(), []

    def judge(case: Case, policy: Policy, reason: str, now: datetime) -> Transition | Rejected:
        judged.append(case)
        seen = case if len(judged) > 1 else replace(case, request=replace(case.request, version=case.request.version + 1))
        return deny_on_host(seen, policy, reason, now)

    assert await _retry_on_conflict(host.store, case_id, "x", judge) is None
    assert len(judged) == 2
    assert host.types(case_id).count("request.denied") == 1


@pytest.mark.sqlite  # a database that is not there is a missing file
async def test_without_a_database_or_a_policy_there_is_a_sentence(
    host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(tmp_path / "none.db"))
    for words in (("list",), ("show", "R-00000001"), ("deny", "R-00000001", "--reason", "x")):
        code, text = await host.type(*words)
        assert code == 2
        assert "There is no database at" in text
    assert not (tmp_path / "none.db").exists()
    bare = await open_store(tmp_path / "bare.db", SystemClock())
    await bare.close()
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(tmp_path / "bare.db"))
    done = await asyncio.to_thread(CliRunner().invoke, app, ["deny", "R-00000001", "--reason", "x"])
    assert str(done.exception).startswith("The database holds no policy that this version can read")


@pytest.mark.sqlite  # the command itself commits; on PostgreSQL the leader does
async def test_while_the_log_is_stopped_the_host_still_takes_away(host: Host) -> None:
    case_id = await host.ask()
    (host.path.parent / "state" / "log.memory").unlink()
    assert (await host.type("deny", case_id, "--reason", "no"))[0] == 0
    assert "denied" in (await host.type("show", case_id))[1]
    assert "request.denied" not in host.types(case_id)
    assert (await host.type("deny", case_id, "--reason", "no"))[0] == 1

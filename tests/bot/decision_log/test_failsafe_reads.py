"""Every method of the store is overridden by the emergency file, or passes through for a reason that is written here.

A new method of a port fails the first test until it is classed; a class that does not match the code fails the second.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from bot.decision_log import failsafe_inbox, failsafe_outbox, failsafe_reads
from bot.decision_log.failsafe_store import FailsafeStore
from bot.domain.case.lifecycle import AskState
from bot.ports.records import CaseSummary, SystemCase
from bot.ports.store import Commits, Store
from tests.bot.building import OWNER, PE1, policy
from tests.bot.stopping import StoppableOffice

OVERRIDDEN = "overridden"
LOG = "the log is what it is: a line of the emergency file is no entry yet"
SCREEN = "it is shown or counted, and nothing is judged by it"
SENT = "it is about messages, and a line of the emergency file changes none"
ENTRY = "it writes an entry, which the store itself refuses while the log is stopped"
NO_LINE = "no act that goes on without the log changes it"
FILING = "filing leaves an entry: nothing is filed while the log is stopped, and when it is back the file is entered first"
MARKS = "time is kept with or without the log, and a doubted clock gives nothing"
LATER = "each case is read by `case` before anything is judged"

CLASSED: dict[str, dict[str, str]] = {
    "cases": {
        "case": OVERRIDDEN, "due_cases": OVERRIDDEN, "open_cases": OVERRIDDEN, "cases_of": OVERRIDDEN,
        "waiting_for": OVERRIDDEN, "owing_of": OVERRIDDEN, "exceptions": OVERRIDDEN, "autonomous_since": OVERRIDDEN,
        "system_cases": OVERRIDDEN, "requests": OVERRIDDEN,
        "open_samples": "a line only closes what is open, and where a sample matters `requests` is read",
        "due": LATER, "with_open_asks": LATER, "wake_on_call": "it only brings a deadline forward", "running_drill": SCREEN, "newest": OVERRIDDEN,
        "live_versions": SCREEN, "open_finding": FILING, "open_findings": FILING, "granted_since": OVERRIDDEN,
    },
    "history": {
        "filing_limits": FILING, "break_glass_usage": FILING, "uses": FILING, "wakings": FILING, "decided_for": SCREEN,
    },
    "absences": {"away": NO_LINE, "of": NO_LINE, "over": NO_LINE},
    "homes": {"page": SCREEN, "waiting": OVERRIDDEN, "live": OVERRIDDEN, "owing": OVERRIDDEN, "redraw": SENT},
    "inbox": {
        "take_in": OVERRIDDEN, "unfinished": OVERRIDDEN, "put_off": OVERRIDDEN, "read_again": OVERRIDDEN, "settle": OVERRIDDEN,
        "unreadable": SCREEN, "refuse": SCREEN, "outcome": SCREEN, "withdraw": SCREEN,
    },
    "outbox": {
        "lease": OVERRIDDEN, "release": OVERRIDDEN, "sent": OVERRIDDEN, "undeliverable": OVERRIDDEN,
        "slack_is_back": SENT, "copies": SENT, "found_again": SENT, "direct_channel": SENT,
        "redraw_open": SENT,
        "redrawn_for": SENT, "said_late": SENT,
    },
    "calls": {
        "ended_aside": OVERRIDDEN, "lease": OVERRIDDEN, "release": NO_LINE,
    },
    "policies": {
        "accept": ENTRY, "endorsements": NO_LINE, "binding": NO_LINE, "last": NO_LINE, "by_digest": NO_LINE, "file_by_hash": NO_LINE,
        "calendars": NO_LINE, "keep_calendar": NO_LINE,
        "contract_notices": NO_LINE, "give_contract_notices": NO_LINE, "ended_providers": NO_LINE, "taken_away": NO_LINE,
        "announce_calendars": NO_LINE, "beginning": NO_LINE, "endorsed_by": NO_LINE, "asking_to_endorse": SENT, "redraw": SENT,
        "contract_grace": NO_LINE, "give_contract_grace": NO_LINE, "lost_calendars": NO_LINE, "domain_owners": NO_LINE,
        "hand_over": ENTRY,
    },
    "log": {
        "head": LOG, "consistency": LOG, "keep_checkpoint": LOG, "halt": LOG, "rows": LOG, "of_case": LOG, "file": LOG,
        "disclosed_by": LOG, "reconciliations": LOG, "last_checkpoint": LOG,
    },
    "anchors": {
        "anchored": LOG, "consistency_between": LOG, "keep_anchor": LOG, "last_post": LOG, "newest": LOG, "post_checkpoint": LOG,
    },
    "operator": {
        "action": OVERRIDDEN, "unfinished": OVERRIDDEN,
        "hold": NO_LINE, "holds_on": NO_LINE, "person_of": NO_LINE, "ref_of": NO_LINE,
        "subject_record": "a case that is closed only in the emergency file counts as open, and erasing waits for it",
        "erase": ENTRY, "begin_pruning": ENTRY, "erasure_report": SCREEN,
        "prunable": LOG, "empty_entries": LOG, "pruned": LOG,
        "rebuild": NO_LINE, "shed": NO_LINE, "empty_over": "only cases that are over in the store, which no line reopens",
    },
    "agreement": {
        "set_before": NO_LINE, "last_message": NO_LINE, "waiting": NO_LINE, "rows": NO_LINE, "words": NO_LINE, "noted_by": NO_LINE,
        "note": NO_LINE, "write": ENTRY,
    },
    "reviews": {
        "campaign": NO_LINE, "campaigns": NO_LINE, "consents": NO_LINE, "narrowed": NO_LINE, "note": NO_LINE,
        "forget_people": NO_LINE, "uses": SCREEN, "last_message": NO_LINE, "entries": LOG,
        "urgent_domains": "an emergency that is closed only in the emergency file makes a narrowing wait a little longer",
    },
    "signing": {
        "link": NO_LINE, "linked": NO_LINE, "ends": LOG, "ref": NO_LINE, "issue": NO_LINE, "issued": NO_LINE, "since": LOG,
        "count": NO_LINE, "answer": NO_LINE, "session": NO_LINE, "begin_session": NO_LINE, "open_session": NO_LINE,
        "account": NO_LINE, "keep_account": NO_LINE, "confirmed": NO_LINE, "unconfirmed": NO_LINE,
    },
    "clock": {
        "mark": MARKS, "keep": MARKS, "request_acceptance": MARKS, "acceptance_requested": MARKS, "accept": ENTRY,
    },
    "overview": {"backlog": SCREEN, "lateness": SCREEN, "prove_writable": NO_LINE},
}  # fmt: skip


def parts() -> dict[str, type]:
    """The ports of the store by the name of the part."""
    return {
        name: get_type_hints(getter.fget)["return"]
        for name, getter in vars(Store).items()
        if isinstance(getter, property) and getter.fget is not None
    }


def methods(port: type) -> set[str]:
    return {name for name, value in vars(port).items() if inspect.isfunction(value) and not name.startswith("_")}


def passed_through(cls: type) -> set[str]:
    """Methods of a class that do nothing but call the same method of what is stored, with the same arguments."""
    found = set()
    (tree,) = ast.parse(inspect.getsource(cls)).body
    assert isinstance(tree, ast.ClassDef)
    for method in tree.body:
        if isinstance(method, ast.AsyncFunctionDef) and len(method.body) == 1:
            line = ast.unparse(method.body[0]).removeprefix("return ")
            given = ", ".join(arg.arg for arg in method.args.args[1:])
            if line == f"await self._stored.{method.name}({given})":
                found.add(method.name)
    return found


def test_every_method_of_every_part_is_classed() -> None:
    assert {name: set(classed) for name, classed in CLASSED.items()} == {n: methods(p) for n, p in parts().items()}
    assert methods(Commits) == {"commit", "commit_each"}  # both written out by FailsafeStore
    assert {"commit", "commit_each"} <= set(vars(FailsafeStore))


WRITTEN_OUT = {
    "cases": failsafe_reads.FailsafeCases, "homes": failsafe_reads.FailsafeHomes, "calls": failsafe_reads.FailsafeCalls,
    "operator": failsafe_reads.FailsafeOperator, "inbox": failsafe_inbox.FailsafeInbox,
    "outbox": failsafe_outbox.FailsafeOutbox,
}  # fmt: skip


@pytest.mark.parametrize("part", CLASSED)
def test_what_is_classed_as_overridden_is_and_the_rest_passes_through(part: str) -> None:
    overridden = {name for name, why in CLASSED[part].items() if why is OVERRIDDEN}
    if part not in WRITTEN_OUT:
        assert overridden == set()
        return
    cls = WRITTEN_OUT[part]
    assert set(CLASSED[part]) <= set(vars(cls))
    assert set(CLASSED[part]) - passed_through(cls) == overridden


def test_nothing_in_the_way_of_the_store_forwards_by_name() -> None:
    for cls in (FailsafeStore, *WRITTEN_OUT.values()):
        assert "__getattr__" not in vars(cls)
        assert "__getattribute__" not in vars(cls)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[StoppableOffice]:
    async with StoppableOffice(tmp_path / "countersign.db", policy()) as opened:
        yield opened


async def test_parts_that_pass_through_whole_are_the_inner_stores_own(office: StoppableOffice) -> None:
    for name in CLASSED.keys() - WRITTEN_OUT.keys():
        assert getattr(office.store, name) is getattr(office.inner, name)
    for name, cls in WRITTEN_OUT.items():
        assert type(getattr(office.store, name)) is cls


class Stored:
    """A stored part that answers with what it is given."""

    def __init__(self, **answers: object) -> None:
        self.answers = answers

    def __getattr__(self, name: str) -> Any:
        async def answer(*_: object) -> object:
            return self.answers[name]

        return answer


async def test_a_system_case_and_a_home_show_an_ask_that_was_closed_without_the_log(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    await office.write_protect()
    (stored,) = [case for case in [await office.inner.cases.case(case_id)] if case is not None]
    await office.click(OWNER, case_id, "deny")
    found = SystemCase(case_id, "right", "d", "r", "", None, AskState.OPEN)
    untouched = replace(found, id="R-OTHER")
    emergency = office.store._emergency
    cases = failsafe_reads.FailsafeCases(Stored(system_cases=[found, untouched], case=stored), emergency)  # type: ignore[arg-type]
    assert [one.state for one in await cases.system_cases()] == [AskState.NO, AskState.OPEN]
    shown = [CaseSummary(case_id, PE1, "p", "d"), CaseSummary("R-OTHER", PE1, "p", "d")]
    homes = failsafe_reads.FailsafeHomes(Stored(waiting=shown), emergency, cases)  # type: ignore[arg-type]
    assert [one.id for one in await homes.waiting(OWNER, 10)] == ["R-OTHER"]

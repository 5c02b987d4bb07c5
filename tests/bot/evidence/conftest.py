"""An example organisation's log with every kind of outcome in it, and exports of it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.case.transition import SYSTEM, FileDigest, LogEvent, Transition
from bot.domain.policy.model import Policy
from bot.evidence.export import export
from bot.evidence.folder import Folder
from bot.ports.records import StoredPolicy
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from storage.log.evidence import evidence
from tests.bot.building import DEP1, MINUTE, OWNER, PE1, RISK
from tests.bot.evidence.signing import Scribe
from tests.bot.office import Office
from tests.bot.tampering import located
from tests.conftest import EXAMPLE

ORIGIN = "test.example/log"
RUNBOOK = "directory-admin-emergency"


HOSTILE = "dc-1 \x1b[31m\u202e\x9b"  # a target that a terminal would obey


@dataclass
class Written:
    """A signed log: the database, its signer, and the ids of its cases by what became of them."""

    database: Path
    scribe: Scribe
    cases: dict[str, str]


def two_yeses() -> Policy:
    """The example organisation, whose directory emergency wants two yeses, the risk owner's among them."""
    files = {path: data for path, data in read_folder(EXAMPLE).items() if path != "README.md"}
    files[f"{RUNBOOK}.md"] = files[f"{RUNBOOK}.md"].replace(b"approvals: 1", b"approvals: 2\nrequires: [risk_owner]")
    loaded = load_files(files)
    assert loaded.policy is not None, loaded.errors
    return loaded.policy


async def adopt(office: Office, policy: Policy) -> None:
    """A set comes into force, as the composition root does it."""
    listed = tuple({"path": f.path, "sha256": f.sha256} for f in policy.files)
    draft = LogEvent("policy.loaded", SYSTEM, data={"files": listed}, policy=FileDigest(policy.organisation, policy.digest))
    await office.store.policies.accept(StoredPolicy(policy.digest, office.clock.now(), policy.files), [draft])
    await office.adopt(policy)


async def write(home: Path) -> Written:
    """Two policy sets; cases approved by two, denied by a deputy, expired and pending; checkpoints in between."""
    scribe, how = Scribe(ORIGIN), {"fields": {"ticket": "INC1"}, "reason": "Sync stopped: <b>&\u2028 =1+1"}
    first = load_files(read_folder(EXAMPLE)).policy
    assert first is not None
    async with Office(home / "countersign.db", first) as office:
        await adopt(office, first)
        one = await office.file(PE1, RUNBOOK, target=HOSTILE, **how)
        scribe.sign(office.path)
        await office.forward(6 * MINUTE)
        await office.click(DEP1, one, "deny")
        two = await office.file(PE1, RUNBOOK, target="dc-2", **how)
        await office.forward(timedelta(hours=1))
        await adopt(office, two_yeses())
        await office.forward(timedelta(hours=1))
        three = await office.file(PE1, RUNBOOK, target="dc-3", **how)
        await office.click(PE1, three)
        await office.click(RISK, three)
        scribe.sign(office.path)
        await office.click(OWNER, three)
        four = await office.file(PE1, RUNBOOK, target="dc-4", **how)
        await office.store.commit(Transition(None, None, tuple(LogEvent("log.verified", SYSTEM) for _ in range(270))))
        scribe.sign(office.path)
        [right] = office.rows("SELECT case_id FROM log_entry WHERE type = 'right.begun'")
    named = {"denied": one, "expired": two, "open": three, "pending": four, "right": right["case_id"]}
    return Written(home / "countersign.db", scribe, named)


@pytest.fixture(scope="session")
def written_once(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The log, written once a worker, and a whole export of it beside it. On a thread, whose loop is its own."""
    home = tmp_path_factory.mktemp("written")
    with ThreadPoolExecutor(1) as thread:
        written = thread.submit(asyncio.run, write(home)).result()
    made(written, home / "evidence")
    return written


@pytest.fixture
def written(written_once: Written, tmp_path: Path) -> Written:
    """A copy of the log for one test, which may change it."""
    shutil.copytree(written_once.database.parent, tmp_path, ignore=shutil.ignore_patterns("evidence"), dirs_exist_ok=True)
    return replace(written_once, database=tmp_path / written_once.database.name)


@pytest.fixture
def exported(written_once: Written, written: Written, tmp_path: Path) -> Path:
    """A whole export of that log."""
    return Path(shutil.copytree(written_once.database.parent / "evidence", tmp_path / "evidence"))


@pytest.fixture
def altered(exported: Path, tmp_path: Path) -> Callable[[], Path]:
    """A fresh copy of the export, to be tampered with."""

    def copy() -> Path:
        return Path(shutil.copytree(exported, tmp_path / "altered", dirs_exist_ok=False))

    return copy


def made(written: Written, out: Path, form: str = "tiles") -> Path:
    """Exports to `out`."""
    with evidence(located(written.database)) as log, Folder(out) as folder:
        export(log, written.scribe.vkey, folder, form)  # type: ignore[arg-type]
    return out

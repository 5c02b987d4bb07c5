"""`countersign permit`, as somebody on the host and as a PAM's hook type it."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.clock import SystemClock
from bot.decision_log.keys import LOG_KEY, read_key
from bot.decision_log.permit_keys import jwks, permit_key
from bot.domain.errors import CountersignError
from bot.ports.records import StoredPolicy
from bot.service.permits import signed
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from tests.bot.office import HandClock, Office
from tests.conftest import EXAMPLE
from tests.database import open_store, url

pytestmark = pytest.mark.sqlite  # the command itself commits; on PostgreSQL it needs a replica that leads

RUNBOOK, TARGET, REASON = "clinical-signin-outage", "clinical-sso-prod", "All wards are out"


@pytest.fixture
def case_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A request under the example organisation whose grant is open now."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(tmp_path / "countersign.db"))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    policy = load_files(read_folder(EXAMPLE)).policy
    assert policy is not None

    async def work() -> str:
        clock = HandClock(SystemClock().now())
        await (await open_store(tmp_path / "countersign.db", clock, "test.example/log", tmp_path / "state")).close()
        async with Office(tmp_path / "countersign.db", policy, clock) as office:
            await office.store.policies.accept(StoredPolicy(policy.digest, clock.now(), policy.files), [])
            fields = {"site": "All sites", "staff_affected": "900", "incident_reference": "INC77"}
            asker = next(p.person for p in policy.people if p.name.startswith("Pavel"))
            return await office.file(asker, RUNBOOK, target=TARGET, reason=REASON, fields=fields)

    return asyncio.run(work())


def type_(*words: object, stdin: str = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
    code = 2 if isinstance(done.exception, CountersignError) else done.exit_code  # as `main` ends
    return code, done.stdout, done.stderr


@pytest.fixture
def served() -> Iterator[str]:
    """This installation's keys over HTTP on this machine."""

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/jwks" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(jwks(Path("state"), SystemClock().now())).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Keys)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_permit_with_its_proof_is_accepted_by_anyone_who_has_both_keys_and_nothing_else(
    case_id: str, tmp_path: Path
) -> None:
    code, said, wrong = type_("permit", "issue", case_id.lower(), "--out", "out")
    assert code == 0, wrong
    assert said.split() == ["out/permit.jwt", "out/permit.tlog-proof", "out/target.disclosure"]
    (tmp_path / "keys.json").write_text(json.dumps(jwks(tmp_path / "state", SystemClock().now())))
    (tmp_path / "log.vkey").write_text(str(read_key(tmp_path / "state" / LOG_KEY).vkey("test.example/log")))
    (tmp_path / "state").rename(tmp_path / "elsewhere")
    (tmp_path / "countersign.db").rename(tmp_path / "gone.db")
    options = ("--aud", RUNBOOK, "--runbook", RUNBOOK, "--jwks", "keys.json")
    proven = ("--proof", "out/permit.tlog-proof", "--vkey", "log.vkey", "--seen", "seen")
    code, said, wrong = type_("permit", "verify", "out/permit.jwt", *options, *proven, "--json")
    assert code == 0, wrong
    claims = json.loads(said)
    assert claims["txn"] == case_id
    assert claims["basis"] == "break_glass"
    disclosure = (tmp_path / "out" / "target.disclosure").read_text()
    assert json.loads(base64.urlsafe_b64decode(disclosure + "=="))[1:] == ["target", TARGET]
    code, said, wrong = type_("permit", "verify", "out/permit.jwt", *options, *proven)
    assert (code, said, wrong) == (1, "", "Refused. It was used before: a permit is good once.\n")


@pytest.mark.usefixtures("no_umask")
def test_a_permit_and_its_disclosure_are_read_by_their_owner_only(case_id: str, tmp_path: Path) -> None:
    """Also where somebody left a file of that name for all to read."""
    out, new = tmp_path / "out", tmp_path / "new"
    out.mkdir()
    (out / "permit.jwt").write_text("old")
    (out / "permit.jwt").chmod(0o644)
    for folder in (out, new):
        assert type_("permit", "issue", case_id, "--out", folder)[0] == 0
        assert {f"{file.name} {file.stat().st_mode & 0o777:o}" for file in folder.iterdir()} == {
            "permit.jwt 600", "permit.tlog-proof 600", "target.disclosure 600"
        }  # fmt: skip
    assert new.stat().st_mode & 0o777 == 0o700


def test_every_refusal_is_one_sentence_and_1(case_id: str, tmp_path: Path) -> None:
    token = type_("permit", "issue", case_id)[1]
    assert type_("permit", "verify", "-", "--aud", RUNBOOK, stdin=token)[0] == 0
    for wrong in (("--aud", "vault"), ("--aud", RUNBOOK, "--runbook", "other")):
        code, said, why = type_("permit", "verify", "-", *wrong, stdin=token)
        assert (code, said, why.count("\n")) == (1, "", 1)
    assert type_("permit", "issue", "R-00000000")[0] == 1
    assert type_("requests", "revoke", case_id, "--reason", "over")[0] == 0
    assert type_("permit", "issue", case_id) == (1, "", f"The grant of {case_id} has ended; no permit is given.\n")


def test_wrong_use_is_2(case_id: str, tmp_path: Path, served: str) -> None:
    token = type_("permit", "issue", case_id)[1]
    (tmp_path / "token").write_text(token)
    aud = ("--aud", RUNBOOK)
    (tmp_path / "empty").write_text("")
    for words in (
        ("token",), ("token", *aud, "--proof", "token"), ("nothing", *aud), ("token", *aud, "--jwks", "empty"),
        ("token", *aud, "--jwks", "http://keys.example/jwks"), ("token", *aud, "--jwks", f"{served}/nothing"),
        ("token", *aud, "--proof", "token", "--vkey", "empty"), ("token", *aud, "--seen", "state"),
    ):  # fmt: skip
        assert type_("permit", "verify", *words)[0] == 2, words
    assert type_("permit", "verify", "token", *aud, "--jwks", f"{served}/jwks")[0] == 0
    assert type_("permit", "issue", "R-1")[0] == 2
    (tmp_path / "file").write_text("")
    assert type_("permit", "issue", case_id, "--out", "file")[0] == 2


def test_a_key_is_rotated_and_the_one_before_still_counts(case_id: str, tmp_path: Path) -> None:
    token = type_("permit", "issue", case_id)[1]
    old = permit_key(tmp_path / "state").thumbprint()
    assert type_("permit", "rotate-key")[0] == 0
    assert permit_key(tmp_path / "state").thumbprint() != old
    assert type_("permit", "verify", "-", "--aud", RUNBOOK, stdin=token)[0] == 0
    past = SystemClock().now() - timedelta(minutes=6)
    stale = signed({"iat": int(past.timestamp()), "exp": int(past.timestamp()) + 300}, permit_key(tmp_path / "state"))
    code, _, why = type_("permit", "verify", "-", "--aud", RUNBOOK, stdin=stale)
    assert (code, "expired" in why) == (1, True)

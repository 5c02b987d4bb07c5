"""From bytes to a policy, value by value; and the digest, byte by byte."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from pathlib import Path

import runbooks
from bot.domain.policy.model import BreakGlass, Executor, Hours, Limit, NamedPerson, PolicyStep
from bot.domain.policy.people import Person, Ref
from bot.domain.policy.rota import Shift
from runbooks.loader import load, load_files
from runbooks.parsing.folder import digest

EXAMPLE = Path(runbooks.__file__).parent


def home(user: str) -> Person:
    return Person("T0HOME", user)


def test_the_example_organisation_has_no_error() -> None:
    loaded = load(EXAMPLE, environment={}, today=date(2026, 12, 1))
    assert loaded.errors == ()
    assert loaded.policy is not None
    assert {f.path for f in loaded.policy.files} >= {"responsibility.yaml", "directory-admin-emergency.md", "targets.csv"}
    assert "README.md" not in {f.path for f in loaded.policy.files}


def test_people_are_resolved_and_labels_are_gone(stored: dict[str, bytes]) -> None:
    policy = load_files(stored).policy
    assert policy is not None
    assert policy.people[0] == NamedPerson("olga", home("U0OWNER"), "Olga Novak", "env:PAGE_OLGA")
    directory = policy.domains["directory"]
    assert directory.owner == home("U0OWNER")
    assert directory.deputies == (home("U0DEP1"), home("U0DEP2"))
    assert directory.risk_owner == home("U0RISK")
    assert policy.auditors == (home("U0AUDIT"),)
    assert policy.humans.same(home("U0ONC1"), home("U0ONC9"))


def test_a_bare_id_under_a_provider_is_of_home_or_of_its_workspaces(stored: dict[str, bytes]) -> None:
    policy = load_files(stored).policy
    assert policy is not None
    northgate = policy.providers["northgate"]
    both = frozenset({"T0HOME", "T0PROV"})
    assert northgate.members == (Ref("U0PE1", both), Ref("U0PE2", both))
    assert northgate.requesters == (Ref("U0PE1", both), Ref("U0PE3", frozenset({"T0PROV"})))
    assert northgate.leads == (Ref("U0PLEAD", both),)
    assert northgate.contract_until == date(2027, 3, 31)
    watchfield = policy.providers["watchfield"]
    assert watchfield.requesters == watchfield.members == (Ref("U0SOC1", frozenset({"T0HOME"})),)


def test_rotas_ladders_and_defaults(stored: dict[str, bytes]) -> None:
    policy = load_files(stored).policy
    assert policy is not None
    rota = policy.rotas["security"]
    assert rota.shifts[0] == Shift(frozenset(range(5)), 480, 1200, home("U0ONC1"))
    assert rota.shifts[1] == Shift(frozenset({5, 6}), 0, 1440, home("U0ONC2"))
    assert (rota.fallback, rota.page) == (home("U0ONC2"), "env:PAGE_SECURITY")
    urgent, plain = policy.escalation_policies["urgent"], policy.escalation_policies["plain"]
    assert urgent.expires_after == 2700
    assert urgent.steps[3] == PolicyStep(600, "notify", "on_call", page=True)
    assert plain.hours == Hours(frozenset(range(5)), 540, 1020, "Europe/London")
    assert (policy.policy_delay, policy.hold, policy.retention) == (900, 600, 2555 * 86400)


def test_runbooks_hold_every_key(stored: dict[str, bytes]) -> None:
    policy = load_files(stored).policy
    assert policy is not None
    emergency, glass = policy.runbooks["emergency"], policy.runbooks["breakglass"]
    assert (emergency.max_duration, emergency.default_duration) == (14400, 3600)
    assert (emergency.approvals, emergency.requires) == (2, ("risk_owner",))
    assert (emergency.rotate_within, emergency.review_within, emergency.audience) == (86400, 86400, "pam-prod")
    assert emergency.targets == ("ad-prod", "ad-test")
    assert emergency.executor == Executor("env:PAM_URL", "env:PAM_SECRET")
    assert emergency.body == "## Before you start\n1. Think."
    assert emergency.sha256 == sha256(stored["emergency.md"]).hexdigest()
    assert [(f.name, f.type, f.minimum, f.maximum, f.earliest) for f in emergency.fields][2:] == [
        ("count", "number", 1, 50, None),
        ("since", "date", None, None, date(2026, 1, 1)),
    ]
    assert glass.break_glass == BreakGlass(14400, Limit(2, 30 * 86400))
    assert (glass.default_duration, glass.audience, glass.approvals) == (7200, "breakglass", 1)


def test_a_high_risk_requires_the_risk_owner_by_default(stored: dict[str, bytes]) -> None:
    policy = load_files(stored).policy
    assert policy is not None
    assert policy.runbooks["exception"].requires == ("risk_owner",)
    assert policy.runbooks["exception"].max_renewals == 1
    assert policy.runbooks["unlock"].limit == Limit(5, 7 * 86400)


def test_the_digest_is_pinned() -> None:
    lines = (
        b"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  B.md\n"
        b"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  a.md\n"
        b"2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6  \xc3\xa4.md\n"
    )
    assert digest({"ä.md": b"c", "a.md": b"b", "B.md": b"a"}) == sha256(lines).hexdigest()
    assert digest({"a.md": b"b"}) == "2b70e20229dc1d58cb2e422530d8fa66eec9628a56457c62d1b8c2ac1718c671"


def test_the_digest_covers_the_files_that_count_and_no_other(stored: dict[str, bytes]) -> None:
    policy = load_files(stored).policy
    more = load_files(stored | {"README.md": b"# hello", "loader.py": b"", "other.csv": b"", ".hidden.md": b""}).policy
    assert policy is not None
    assert more is not None
    assert more.digest == policy.digest == digest(stored)
    assert [f.path for f in policy.files] == sorted(stored)
    assert load_files({f.path: f.content for f in policy.files}).policy == policy


def test_a_folder_and_its_stored_bytes_give_the_same_policy(folder: Path, stored: dict[str, bytes]) -> None:
    assert load(folder) == load_files(stored)


def test_a_missing_matrix_is_one_finding_and_runbooks_are_still_judged(stored: dict[str, bytes]) -> None:
    del stored["responsibility.yaml"]
    stored["unlock.md"] = stored["unlock.md"].replace(b"tell: each", b"tell: never")
    loaded = load_files(stored)
    assert [(f.file, f.line) for f in loaded.findings] == [("responsibility.yaml", 1), ("unlock.md", 10)]
    assert "is missing: add responsibility.yaml to the folder" in loaded.findings[0].text


def test_windows_line_ends_and_a_byte_order_mark_are_taken_as_meant(stored: dict[str, bytes]) -> None:
    windows = {path: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n") for path, text in stored.items()}
    loaded = load_files(windows)
    assert loaded.findings == ()
    assert loaded.policy is not None
    assert loaded.policy.runbooks["emergency"].body == "## Before you start\n1. Think."


def test_an_ical_rota_takes_a_file_of_the_folder(stored: dict[str, bytes]) -> None:
    matrix = stored["responsibility.yaml"].decode()
    start, end = matrix.index("    source: static"), matrix.index("    fallback:")
    ical = "    source: ical\n    feed: feeds/security.ics\n    people: [U0ONC1, U0ONC2]\n    time_zone: UTC\n"
    files = stored | {"responsibility.yaml": (matrix[:start] + ical + matrix[end:]).encode()}
    (missing,) = load_files(files).errors
    assert (missing.line, missing.text) == (
        38,
        "The file feeds/security.ics is not in this folder: add it, or correct `feed`.",
    )
    (wrong,) = load_files(files | {"feeds/security.ics": b"<html>"}).errors
    assert "export it again" in wrong.text
    (empty,) = load_files(files | {"feeds/security.ics": b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"}).errors
    assert "it holds no event" in empty.text
    event = b"BEGIN:VEVENT\r\nDTSTART:20260301T000000Z\r\nSUMMARY:U0ONC1\r\nEND:VEVENT\r\n"
    policy = load_files(files | {"feeds/security.ics": b"BEGIN:VCALENDAR\r\n" + event + b"END:VCALENDAR\r\n"}).policy
    assert policy is not None
    assert policy.rotas["security"].feed == "feeds/security.ics"
    assert "feeds/security.ics" in {f.path for f in policy.files}


def test_an_empty_set_says_so() -> None:
    loaded = load_files({})
    assert [(f.severity, f.file) for f in loaded.findings] == [("warning", "."), ("error", "responsibility.yaml")]

"""Each fault that design section 2 names, in one file each: where it is reported, and what it asks the reader to do.

The expected line is the one where the replaced text began (0), or the one of a text in the changed file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest

from runbooks.loader import load_files

Changed = Callable[[str, str, str], tuple[dict[str, bytes], int]]
M, E, B, U, X, T = "responsibility.yaml", "emergency.md", "breakglass.md", "unlock.md", "exception.md", "targets.csv"
ADVICE = re.compile(r"[:,;] \w|[:;] `|Did you mean")
TOO_LONG = "x" * 11_001

# (name, file, old text, new text, where, what the sentence says)
FAULTS = [
    ("unknown key", M, "    owner: olga", "    onwer: olga", 0, r"remove it or use one of .* Did you mean `owner`\?"),
    ("missing key", M, "    owner: olga\n", "", "  directory:", r"`owner` is missing in `domains.directory`: add it"),
    ("missing top key", M, 'contact: "#identity-help"\n', "", "organisation:", r"`contact` is missing: add it"),
    ("duplicate key", M, "auditors: [U0AUDIT]", "auditors: [U0A1]\nauditors: [U0A2]", "auditors: [U0A2]", r"second time .*remove one"),
    ("duplicate domain", M, "  machines:", "  directory:", 0, r"second time \(first in line 23\): remove one"),
    ("empty value", M, "auditors: [U0AUDIT]", "auditors:", 0, r"has no value: write one, or leave it out"),
    ("empty list", M, "deputies: [U0MDEP]", "deputies: []", 0, r"is empty: name at least one, or leave the key out"),
    ("empty map", M, "auditors: [U0AUDIT]", "rotas: {}", 0, r"leave the key out"),
    ("empty rota people", M, "people: [U0ONC1, U0ONC2]", "people: []", 0, r"name at least one"),
    ("empty providers", E, "providers: [northgate]", "providers: []", 0, r"name at least one"),
    ("empty workspaces", M, "workspaces: [T0HOME]", "workspaces: []", 0, r"name at least one"),
    ("alias", M, "auditors: [U0AUDIT]", "auditors: &a [U0AUDIT]", 0, r"write the value out"),
    ("tag", M, "auditors: [U0AUDIT]", "auditors: !!python/object [U0AUDIT]", 0, r"write the plain value"),
    ("text needs quotes", M, "contract: NMI-2026-014", "contract: 2026014", 0, r"must be text: put it in quotes"),
    ("control character", M, "Corporate directory", '"Corporate\\u202e directory"', 0, r"write one line of text"),
    ("text too long", M, "name: Machines", "name: " + "M" * 76, 0, r"76 characters long: shorten it to at most 75"),
    ("user id", M, "owner: U0MACH", "owner: u0mach!", 0, r"write a Slack user id"),
    ("person is a bare word", M, "owner: U0MACH", "owner: olgo", 0, r"nobody in `people`.*Did you mean `olga`\?"),
    ("channel id", M, "C0MACHINES", "D0MACHINES", 0, r"write a Slack channel id"),
    ("workspace id", M, "[T0HOME]", "[X0HOME]", 0, r"write a Slack workspace id"),
    ("domain id", M, "  machines:", "  Machines:", 0, r"write lower-case letters"),
    ("duplicate person id", M, "id: U0DEP1,", "id: U0OWNER,", 0, r"is called `olga` already: remove one"),
    ("person of an unknown workspace", M, "id: U0DEP1,", "id: T0ELSE/U0DEP1,", 0, r"correct the id"),
    ("authority outside home", M, "[dev, U0DEP2]", "[dev, T0ELSE/U0DEP2]", 0, r"name a member of a home workspace"),
    ("authority of a provider workspace", M, "[dev, U0DEP2]", "[dev, T0PROV/U0DEP2]", 0, r"belongs to provider"),
    ("person twice", M, "[dev, U0DEP2]", "[dev, U0DEP1]", 0, r"in this list already: remove one"),
    ("deputy is the owner", M, "[dev, U0DEP2]", "[dev, U0OWNER]", 0, r"own deputy: name somebody else"),
    ("provider owner", M, "owner: U0MACH", "owner: U0PE1", 0, r"provider `northgate`: nobody of a provider decides, name"),
    ("provider owner by label", M, "owner: U0MACH", "owner: pat", 0, r"pat \(U0PE1\), who belongs to provider"),
    ("provider deputy", M, "deputies: [U0MDEP]", "deputies: [U0PLEAD]", 0, r"name somebody of your own"),
    ("provider risk owner", M, "risk_owner: U0RISK", "risk_owner: U0PE3", 0, r"name somebody of your own"),
    ("provider on call", M, "people: [U0ONC1, U0ONC2]", "people: [U0ONC1, U0ONC2, U0SOC1]", 0, r"`watchfield`: nobody"),
    ("provider shift", M, 'to: "20:00", person: U0ONC1', 'to: "20:00", person: U0PE2', 0, r"nobody of a provider"),
    ("provider fallback", M, "fallback: U0ONC2", "fallback: U0PE2", 0, r"nobody of a provider"),
    ("provider auditor", M, "auditors: [U0AUDIT]", "auditors: [U0PE1]", 0, r"nobody of a provider"),
    ("provider by same_person", M, "[[U0ONC1, U0ONC9]]", "[[U0PE1, U0OWNER]]", "owner: olga", r"belongs to provider `northgate`"),
    ("provider by workspace and same_person", M, "[[U0ONC1, U0ONC9]]", "[[T0PROV/U0Z, U0OWNER]]", "owner: olga", r"northgate"),
    ("provider without people", M, "    members: [U0SOC1]\n", "    contract: none\n", "  watchfield:", r"add `members` or `workspaces`"),
    ("two providers", M, "members: [U0SOC1]", "members: [U0SOC1, U0PE1]", 0, r"one party, remove them from one"),
    ("two providers by same_person", M, "[[U0ONC1, U0ONC9]]", "[[U0SOC1, U0PLEAD]]", "members: [U0SOC1]", r"one party"),
    ("home is a provider's", M, "workspaces: [T0PROV]", "workspaces: [T0HOME]", 0, r"has one party, remove it here"),
    ("workspace of two", M, "    members: [U0SOC1]", "    workspaces: [T0PROV]", 0, r"has one party, remove it"),
    ("provider person of a stranger", M, "T0PROV/U0PE3", "T0ELSE/U0PE3", 0, r"correct it, or add it to the provider"),
    ("shared channel", M, "channel: C0NORTHGATE", "channel: C0DIRECTORY", 0, r"domain `directory` already: give provider"),
    ("contract date", M, "2027-03-31", "2027-02-30", 0, r"no calendar has: write a day like"),
    ("contract no date", M, "2027-03-31", "soon", 0, r"write a day like"),
    ("same_person of three", M, "[[U0ONC1, U0ONC9]]", "[[U0ONC1, U0ONC9, U0ONC8]]", 0, r"keep at most 2"),
    ("same_person of one", M, "[[U0ONC1, U0ONC9]]", "[[U0ONC1]]", 0, r"has 1 of at least 2: add what is missing"),
    ("same_person of equals", M, "[[U0ONC1, U0ONC9]]", "[[U0ONC1, T0PROV/U0ONC1]]", 0, r"remove the pair"),
    ("unknown rota", M, "on_call: security", "on_call: securty", 0, r"not in `rotas`: add it there or correct it"),
    ("no fraction of a duration", M, "expires_after: 45m", "expires_after: 1.5h", 0, r"write a whole number above zero"),
    ("a duration has a unit", M, "expires_after: 45m", "expires_after: 45", 0, r"must be text: put it in quotes"),
    ("zero expiry", M, "expires_after: 45m", "expires_after: 0m", 0, r"above zero"),
    ("two units", M, "expires_after: 45m", "expires_after: 1h30m", 0, r"one of s, m, h, d"),
    ("zero retention", M, "same_person: [[U0ONC1, U0ONC9]]", "retention: 0d", 0, r"above zero"),
    ("step after expiry", M, "after: 15m", "after: 50m", 0, r"make it earlier, or raise `expires_after`"),
    ("step at expiry", M, "after: 15m", "after: 45m", 0, r"at or after the expiry"),
    ("steps out of order", M, "after: 10m", "after: 4m", 0, r"put steps in order"),
    ("first step late", M, "{after: 0m, notify: owner}", "{after: 1m, notify: owner}", 0, r"write `{after: 0m, notify"),
    ("first step reminds", M, "{after: 0m, notify: owner}", "{after: 0m, remind: owner}", 0, r"stands for minute 0"),
    ("step twice", M, "{after: 3m, remind: owner}", "{after: 0m, notify: owner}", 0, r"second time: remove one"),
    ("step without action", M, "{after: 3m, remind: owner}", "{after: 3m}", 0, r"write one of them with a role"),
    ("step with two", M, "remind: owner}", "remind: owner, notify: owner}", 0, r"exactly one of `notify` and `remind`"),
    ("step of no role", M, "remind: owner}", "remind: boss}", 0, r"write `owner`, `deputies`, `on_call` or `risk_owner`"),
    ("no steps", M, "    steps:\n      - {after: 0m, notify: owner}\n      - {after: 2h, notify: deputies}",
     "    steps: []", 0, r"name at least one"),
    ("time zone", M, "time_zone: Europe/London\n", "time_zone: Europe/Londn\n", 0, r"IANA name.*Did you mean `Europe/London`"),
    ("hours zone", M, "Europe/London}", "Mars/Base}", 0, r"IANA name"),
    ("day name", M, "[sat, sun]", "[saturday, sun]", 0, r"write `mon`"),
    ("day twice", M, "[sat, sun]", "[sat, sat]", 0, r"second time: remove one"),
    ("clock", M, 'from: "08:00"', 'from: "8:00"', 0, r"write a time in quotes"),
    ("clock after midnight", M, 'to: "20:00"', 'to: "24:30"', 0, r"write a time in quotes"),
    ("shift backwards", M, 'to: "20:00"', 'to: "06:00"', 0, r"not before `to`.*written as two"),
    ("hours backwards", M, 'to: "17:00"', 'to: "09:00"', 0, r"not before `to`"),
    ("overlap", M, "days: [sat, sun]", "days: [fri, sat]", 0, r"overlaps shift 1 on fri at 08:00: end one before"),
    ("shift of a stranger", M, 'to: "20:00", person: U0ONC1', 'to: "20:00", person: U0DEP1', 0, r"add them there"),
    ("fallback of a stranger", M, "fallback: U0ONC2", "fallback: U0DEP1", 0, r"not among the rota's `people`"),
    ("static without shifts", M, "source: static", "source: ical", "shifts:", r"remove them, or change `source`"),
    ("ical without feed", M, "source: static", "source: ical", "  security:\n", r"needs `feed`: add an https address"),
    ("static with feed", M, "fallback: U0ONC2", "feed: https://cal.example/x.ics", 0, r"belongs to `source: ical`: remove"),
    ("feed over http", M, "fallback: U0ONC2", "feed: http://cal.example/x.ics", 0, r"write an `https://` address"),
    ("feed outside", M, "fallback: U0ONC2", "feed: ../x.ics", 0, r"inside this folder"),
    ("rotation beyond its weeks", M, 'to: "20:00", person: U0ONC1}',
     'to: "20:00", person: U0ONC1, weeks: {of: 2, on: 3, from: 2026-01-05}}', 0, r"`on` is 1 to 2"),
    ("override backwards", M, "    fallback: U0ONC2", "    overrides:\n      - {from: 2026-12-25T08:00, to: 2026-12-24T08:00,"
     " person: U0ONC1}\n    fallback: U0ONC2", "      - {from: 2026-12", r"is not before `to`"),
    ("overrides overlap", M, "    fallback: U0ONC2", "    overrides:\n      - {from: 2026-12-24T08:00, to: 2026-12-25T08:00,"
     " person: U0ONC1}\n      - {from: 2026-12-25T07:59, to: 2026-12-26T08:00, person: U0ONC2}\n    fallback: U0ONC2",
     "      - {from: 2026-12-25", r"overlaps override 1: end one before"),
    ("override of a stranger", M, "    fallback: U0ONC2", "    overrides:\n      - {from: 2026-12-24T08:00,"
     " to: 2026-12-25T08:00, person: U0DEP1}\n    fallback: U0ONC2", "      - {from: 2026-12", r"add them there"),
    ("page", M, '"env:PAGE_OLGA"', "pager", 0, r"write `env:` and the name"),
    ("not YAML", M, "auditors: [U0AUDIT]", "auditors: [U0AUDIT", "domains:", r"not YAML: .*; fix it"),
    ("two documents", M, "auditors: [U0AUDIT]", "---\nauditors: [U0AUDIT]", 0, r"keep one per file"),
    # runbooks
    ("zero approvals", E, "approvals: 2", "approvals: 0", 0, r"write a number of at least 1"),
    ("negative approvals", E, "approvals: 2", "approvals: -1", 0, r"write a number of at least 1"),
    ("approvals in quotes", E, "approvals: 2", 'approvals: "2"', 0, r"whole number without quotes"),
    ("approvals true", E, "approvals: 2", "approvals: true", 0, r"whole number"),
    ("too many approvals", E, "approvals: 2", "approvals: 9", 0, r"6 possible approvers: name more people"),
    ("minute 0 cannot", E, "approvals: 2", "approvals: 5", 0, r"minute 0 cannot give 5 .*: name another deputy"),
    ("requires without approvals", E, "approvals: 2\n", "", "requires:", r"write `approvals: 2` or more"),
    ("requires and one approval", E, "approvals: 2", "approvals: 1", 0, r"write `approvals: 2` or more"),
    ("requires twice", E, "[risk_owner]", "[risk_owner, risk_owner]", 0, r"second time: remove"),
    ("requires nobody", E, "[risk_owner]", "[boss]", 0, r"write `owner`"),
    ("requires a role the domain lacks", E, "domain: directory", "domain: machines", "requires:", r"has no `risk_owner`: add one"),
    ("high risk with one approval", X, "approvals: 2\n", "", "risk: high", r"`risk: high` requires.*write `approvals: 2`"),
    ("high risk, no risk owner", X, "domain: directory", "domain: machines", "risk: high", r"has no `risk_owner`: add one"),
    ("approvals on autonomous", U, "limit: 5 per 7d", "approvals: 1", 0, r"only where `right` is .*: remove it"),
    ("no escalation", E, "escalation: urgent\n", "", "right:", r"needs `escalation`: add an escalation policy"),
    ("unknown escalation", E, "escalation: urgent", "escalation: urgnt", 0, r"Did you mean `urgent`\?"),
    ("hours in an emergency", B, "escalation: urgent", "escalation: plain", 0, r"choose one without `hours`"),
    ("unknown domain", E, "domain: directory", "domain: directry", 0, r"add it there or correct it. Did you mean"),
    ("unknown provider", E, "[northgate]", "[northgat]", 0, r"Did you mean `northgate`\?"),
    ("provider twice", E, "[northgate]", "[northgate, northgate]", 0, r"second time: remove"),
    ("default above max", E, "default_duration: 1h", "default_duration: 5h", 0, r"longer than `max_duration` 4h: shorten it"),
    ("zero max", E, "max_duration: 4h", "max_duration: 0h", 0, r"above zero"),
    ("no review of an emergency", B, "review_within: 24h\n", "", "kind:", r"add `review_within`"),
    ("break_glass without immediate", E, "audience: pam-prod", "break_glass: {ratify_within: 4h}", 0, r"remove it"),
    ("break_glass without window", B, "{ratify_within: 4h, quota: 2 per 30d}", "{quota: 2 per 30d}", 0, r"`ratify_within` is m"),
    ("quota of zero", B, "quota: 2 per 30d", "quota: 0 per 30d", 0, r"write a number above zero and a window"),
    ("limit", U, "limit: 5 per 7d", "limit: 5/7d", 0, r"like `5 per 7d`"),
    ("tell", U, "tell: each", "tell: never", 0, r"write `each` or `daily`"),
    ("tell elsewhere", E, "audience: pam-prod", "tell: each", 0, r"`right` is `autonomous`"),
    ("review_every elsewhere", E, "audience: pam-prod", "review_every: 90d", 0, r"`right` is `autonomous`"),
    ("risk elsewhere", E, "audience: pam-prod", "risk: high", 0, r"`kind` is `policy_exception`"),
    ("max_renewals elsewhere", E, "audience: pam-prod", "max_renewals: 1", 0, r"`kind` is `policy_exception`"),
    ("max_renewals negative", X, "max_renewals: 1", "max_renewals: -1", 0, r"at least 0"),
    ("verification elsewhere", E, "audience: pam-prod", "subject_verification: [id]", 0, r"`kind` is `reset`"),
    ("not_before elsewhere", E, "audience: pam-prod", "not_before: 5m", 0, r"`kind` is `reset`"),
    ("not_before after the expiry", U, "right: autonomous\nlimit: 5 per 7d\nreview_every: 90d\ntell: each\nmax_duration: 1h\n"
     "subject_verification: [manager_callback]\nnot_before: 30m", "right: approval\nescalation: urgent\nmax_duration: 1h\n"
     "not_before: 45m", "not_before", r"shorten it, or raise"),
    ("kind", E, "kind: emergency_access", "kind: emergency", 0, r"write `emergency_access`, `reset`, `policy_exception` or `finding`"),
    ("id is not the file name", E, "id: emergency", "id: emergencies", 0, r"make them equal"),
    ("id is no slug", E, "id: emergency", "id: Emergency", 0, r"write lower-case letters"),
    ("audience with a space", E, "audience: pam-prod", "audience: pam prod", 0, r"one word without spaces"),
    ("evidence", E, "[session_recording]", "[Session recording]", 0, r"like `session_recording`"),
    ("executor secret written out", E, '"env:PAM_SECRET"', "whsec_abc", 0, r"write `env:` and the name"),
    ("title too long", E, "title: Emergency", "title: " + "E" * 76, 0, r"shorten it to at most 75"),
    ("targets outside", E, "targets: targets.csv", "targets: ../targets.csv", 0, r"inside this folder"),
    ("targets absolute", E, "targets: targets.csv", "targets: /etc/targets.csv", 0, r"inside this folder"),
    ("targets of another type", E, "targets: targets.csv", "targets: .env", 0, r"`.csv` file inside this folder"),
    ("targets missing", E, "targets: targets.csv", "targets: other.csv", 0, r"not in this folder: add it"),
    ("targets header", T, "target,domain", "name,domain", 0, r"must be `target,domain`: write it"),
    ("targets domain", T, "ad-test,directory", "ad-test,directry", 0, r"write one of the matrix. Did you mean"),
    ("targets columns", T, "ad-test,directory", "ad-test", 0, r"write a target, a comma and its domain"),
    ("target twice", T, "ad-test,", "ad-prod,", 0, r"stands in line 2 already: remove one"),
    ("target too long", T, "ad-test,", "t" * 76 + ",", 0, r"1 to 75 characters"),
    ("field name", E, "name: ticket", "name: Ticket", 0, r"lower-case letters, digits and `_`"),
    ("field twice", E, "name: area", "name: ticket", 0, r"give each its own name"),
    ("field of the form", E, "name: ticket", "name: reason", 0, r"of its own: choose another name"),
    ("label of the form", E, "label: Area", "label: Duration", 0, r"of its own: choose another label"),
    ("field type", E, "type: number", "type: integer", 0, r"write `text`"),
    ("select without options", E, ", options: [North, South]", "", 0, r"add what it offers"),
    ("options elsewhere", E, "type: select", "type: person", 0, r"`type: select`, not person: remove"),
    ("option twice", E, "[North, South]", "[North, North]", 0, r"second time: remove one"),
    ("option too long", E, "[North, South]", "[North, " + "S" * 76 + "]", 0, r"at most 75"),
    ("too many options", E, "[North, South]", f"[{', '.join(f'o{n}' for n in range(101))}]", 0, r"keep at most 100"),
    ("pattern elsewhere", E, "min: 1, max: 50", "pattern: x", 0, r"text and multiline, not number: remove"),
    ("pattern does not compile", E, r"'^INC\d+$'", "'^INC('", 0, r"no regular expression .*: correct it"),
    ("pattern too long", E, r"'^INC\d+$'", "'" + "x" * 201 + "'", 0, r"shorten it to at most 200"),
    ("pattern looks around", E, r"'^INC\d+$'", "'^(?!INC0)INC'", 0, r"a look-around .*RE2\) does not know: write it without"),
    ("min above max", E, "min: 1, max: 50", "min: 60, max: 50", 0, r"exchange or correct"),
    ("day above day", E, "min: 2026-01-01", "min: 2031-01-01", 0, r"exchange or correct"),
    ("min of a date", E, "min: 2026-01-01", "min: 3", 0, r"must be a day"),
    ("min of a number", E, "min: 1, max: 50", "min: 2026-01-01", 0, r"must be a number"),
    ("min of a select", E, "options: [North, South]", "options: [North], min: 1", 0, r"not select: remove"),
    ("length of a text", E, "required: true}", "max: 3001}", 0, r"whole number from 0 to 3000"),
    ("no front matter", E, "---\nid", "id", 0, r"begin the file with a line `---`"),
    ("empty body", E, "## Before you start\n1. Think.\n", "", 0, r"write what the person is to do"),
    ("long body", E, "## Before you start", TOO_LONG, 0, r"shorten it to at most 11000"),
    ("control character in the body", E, "1. Think.", "1. \x1b[2JThink.", 0, r"remove it"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "at", "says"), [pytest.param(*row[1:], id=row[0]) for row in FAULTS])
def test_a_fault_is_named_with_its_line_and_what_to_do(
    changed: Changed, file: str, old: str, new: str, at: str | int, says: str
) -> None:
    files, line = changed(file, old, new)
    if isinstance(at, str):
        text = files[file].decode()
        line = text[: text.index(at)].count("\n") + 1
    loaded = load_files(files)
    assert loaded.policy is None
    found = [(f.file, f.line, f.text) for f in loaded.errors]
    assert [f for f in found if f[:2] == (file, line) and re.search(says, f[2])], found
    assert all(ADVICE.search(text) for *_, text in found), "every sentence says what to do"


def test_the_organisation_that_the_faults_are_made_in_is_right(stored: dict[str, bytes]) -> None:
    loaded = load_files(stored)
    assert loaded.findings == ()
    assert loaded.policy is not None


def test_with_several_home_workspaces_a_bare_id_is_refused(changed: Changed) -> None:
    files, _ = changed("responsibility.yaml", "[T0HOME]", "[T0HOME, T0TWO]")
    errors = load_files(files).errors
    assert len({f.line for f in errors if f.file == "responsibility.yaml"}) == 15  # labels once, where they are in `people`
    assert "`U0MACH` could be of any of 2 home workspaces: write the workspace too, like `T0HOME/U0MACH`." in {
        f.text for f in errors
    }


def test_a_step_whose_role_the_domain_lacks_is_reported_at_the_step(changed: Changed) -> None:
    files, _ = changed("responsibility.yaml", "    on_call: security\n", "")
    errors = load_files(files).errors
    assert {(f.file, f.line) for f in errors} == {("responsibility.yaml", 51)}
    assert [f.text.partition(": ")[0] for f in errors] == [
        f"This step names `on_call`, which domain `directory` of runbook `{name}` lacks"
        for name in ("breakglass", "emergency")
    ]
    assert all(
        f.text.endswith(": add `on_call` to the domain, or give the runbook another escalation policy.") for f in errors
    )


def test_a_targets_file_without_a_target_of_the_domain_is_refused(changed: Changed) -> None:
    files, _ = changed("targets.csv", "ad-prod,directory\nad-test,directory\n", "")
    (only,) = load_files(files).errors
    assert (only.file, only.line) == ("emergency.md", 17)
    assert "add one, or remove `targets`" in only.text


def test_front_matter_without_an_end_is_refused(changed: Changed) -> None:
    files, _ = changed("emergency.md", "---\n## Before", "## Before")
    (only,) = load_files(files).errors
    assert (only.file, only.line) == ("emergency.md", 1)
    assert "close it with a line `---`" in only.text


def test_more_than_100_targets_or_runbooks_cannot_be_shown(stored: dict[str, bytes]) -> None:
    rows = "".join(f"t{n},directory\n" for n in range(101))
    many = stored | {"targets.csv": b"target,domain\n" + rows.encode()}
    (only,) = load_files(many).errors
    assert (only.file, only.line) == ("emergency.md", 17)
    unlock = stored["unlock.md"].decode()
    books = {f"u{n}.md": unlock.replace("id: unlock", f"id: u{n}").encode() for n in range(101)}
    (only,) = load_files(stored | books).errors
    assert (only.file, only.line) == ("responsibility.yaml", 9)
    assert "102 runbooks of kind reset and a form shows 100: join some" in only.text


def test_more_options_than_a_form_can_carry_are_refused(changed: Changed) -> None:
    options = ", ".join(f"{n:070}x" for n in range(100))
    fields = "".join(f"\n  - {{name: f{n}, label: F, type: select, options: [{options}]}}" for n in range(15))
    files, _ = changed("emergency.md", "fields:", "fields:" + fields)
    (only,) = load_files(files).errors
    assert (only.line, "use fewer" in only.text) == (18, True)


def test_all_faults_of_all_files_are_reported_at_once(changed: Changed, stored: dict[str, bytes]) -> None:
    files, _ = changed("responsibility.yaml", "name: Machines", "nome: Machines")
    files |= {"unlock.md": stored["unlock.md"].replace(b"tell: each", b"tell: never")}
    files["responsibility.yaml"] = files["responsibility.yaml"].replace(b"auditors: [U0AUDIT]", b"auditors: [U0PE1]")
    files["emergency.md"] = files["emergency.md"].replace(b"approvals: 2", b"approvals: 9")
    places = [(f.file, f.line) for f in load_files(files).errors]
    assert places == [
        ("emergency.md", 8),
        ("responsibility.yaml", 21),
        ("responsibility.yaml", 30),
        ("responsibility.yaml", 31),
        ("unlock.md", 10),
    ]


# (name, file, old, new, says): warnings do not refuse the set
WARNINGS = [
    ("targets that look alike", T, "ad-test,directory", "ad-test,directory\nAD-Test,directory", r"AD-Test looks like ad-test of line \d+ and counts as the same"),
    ("targets of two scripts", T, "ad-test,directory", "ad-tеst,directory", r"ad-tеst \(Cyrillic and Latin\) mixes letters that look alike"),
    ("people of one name", M, "name: Dev Rao", "name: OLGA NOVAK", r"OLGA NOVAK looks like the name of `olga`"),
    ("name of two scripts", M, "name: Dev Rao", "name: Dеv Rao", r"Dеv \(Cyrillic and Latin\) mixes letters"),
    ("domain without deputies", M, "    deputies: [U0MDEP]\n", "", r"nobody stands in for the owner: add `deputies`"),
    ("gap in a rota", M, "    fallback: U0ONC2\n", "", r"Nobody is on call on mon at 00:00: add a shift or a `fallback`"),
    ("page to nowhere", M, '    page: "env:PAGE_SECURITY"\n', "", r"goes nowhere in domain `directory`: give its people"),
    ("nobody may ask", M, "    members: [U0SOC1]", "    workspaces: [T0SOC]", r"may ask: name them in `requesters`"),
    ("address written out", M, '"env:PAGE_OLGA"', "tgram://token/chat", r"put it into the environment"),
    ("unreviewed right", U, "review_every: 90d\n", "", r"Nobody reviews this right: add `review_every`"),
    ("idle escalation", U, "tell: each", "escalation: plain", r"remove `escalation`"),
    ("reminder of nobody", M, "{after: 3m, remind: owner}", "{after: 3m, remind: deputies}", r"put a `notify` before"),
    ("notify twice", M, "{after: 3m, remind: owner}", "{after: 3m, notify: owner}", r"adds nobody: write `remind`"),
    ("first step of another role", M, "{after: 0m, notify: owner}", "{after: 0m, notify: deputies}", r"write `notify: owner`"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "says"), [pytest.param(*row[1:], id=row[0]) for row in WARNINGS])
def test_a_warning_says_what_to_do_and_refuses_nothing(changed: Changed, file: str, old: str, new: str, says: str) -> None:
    loaded = load_files(changed(file, old, new)[0])
    assert loaded.policy is not None
    assert loaded.errors == ()
    assert any(re.search(says, finding.text) for finding in loaded.warnings), loaded.warnings


def test_a_contract_that_has_ended_is_a_warning_from_the_day_after(stored: dict[str, bytes]) -> None:
    assert load_files(stored, today=date(2027, 3, 31)).findings == ()
    (only,) = load_files(stored, today=date(2027, 4, 1)).findings
    assert (only.severity, only.file, only.line) == ("warning", "responsibility.yaml", 12)


def test_an_unset_address_is_a_warning_for_check_and_an_error_for_run(stored: dict[str, bytes]) -> None:
    names = {"PAGE_OLGA": "x", "PAM_URL": "https://x", "PAM_SECRET": ""}
    checked = load_files(stored, environment=names)
    assert checked.policy is not None
    assert [(f.file, f.line, f.severity) for f in checked.findings] == [
        ("emergency.md", 23, "warning"),
        ("responsibility.yaml", 44, "warning"),
    ]
    assert "environment variable PAM_SECRET is not set: set it" in checked.findings[0].text
    run = load_files(stored, environment=names, require_env=True)
    assert run.policy is None
    assert {f.severity for f in run.findings} == {"error"}

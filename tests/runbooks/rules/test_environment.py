"""What a policy takes from the environment, and the ids that `init` left to be replaced."""

from __future__ import annotations

import pytest

from runbooks.loader import load_files
from runbooks.parsing.findings import PolicyReport
from runbooks.rules.environment import is_secret, placeholders

GOOD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw"
PAGES = {"PAGE_OLGA": "ntfy://x", "PAGE_SECURITY": "ntfy://y"}


def found(stored: dict[str, bytes], url: str, secret: str, *, run: bool) -> list[tuple[str, str]]:
    """Severity and text of what is said about the executor."""
    told = load_files(stored, environment=PAGES | {"PAM_URL": url, "PAM_SECRET": secret}, require_env=run)
    return [(f.severity, f.text) for f in told.findings if "PAM_" in f.text]


@pytest.mark.parametrize("url", ["https://pam.example/hook", "http://127.0.0.1:8443/", "http://[::1]/hook"])
def test_https_and_this_machine_are_trusted(stored: dict[str, bytes], url: str) -> None:
    assert found(stored, url, GOOD, run=True) == []


@pytest.mark.parametrize(
    "url", ["http://pam.example/hook", "ftp://pam.example", "pam.example", "https://", "http://localhost"]
)
def test_another_address_is_an_error_for_run_and_a_warning_for_check(stored: dict[str, bytes], url: str) -> None:
    for run, severity in ((True, "error"), (False, "warning")):
        [(said, text)] = found(stored, url, GOOD, run=run)
        assert said == severity
        assert "PAM_URL is not an address that starts with https://" in text


def test_a_secret_that_is_none_is_named_and_never_printed(stored: dict[str, bytes]) -> None:
    for secret in (
        "hunter2hunter2hunter2hunter2",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_not base64 at all, though long enough",
    ):
        assert not is_secret(secret)
        [(severity, text)] = found(stored, "https://pam.example", secret, run=True)
        assert severity == "error"
        assert secret not in text or secret == "whsec_"


def named(path: str, text: str) -> list[tuple[str, int, str]]:
    report = PolicyReport()
    placeholders({path: text.encode()}, report)
    return [(f.severity, f.line, f.text) for f in report.sorted()]


@pytest.mark.parametrize(
    ("word", "where"),
    [
        ("U0REPLACEOWNER", "their profile in Slack"), ("C0REPLACE", "About → Channel ID"),
        ("T0REPLACEHOME", "the T… of its address"),
    ],
)  # fmt: skip
def test_a_placeholder_is_a_warning_at_its_line_with_where_its_id_is_found(word: str, where: str) -> None:
    ((severity, line, text),) = named("responsibility.yaml", f"a: 1\nb: [{word}]  # REPLACE U0REPLACEX\n")
    assert (severity, line) == ("warning", 2)
    assert text.startswith(f"`{word}` is a placeholder of `init`: put the real id there (")
    assert where in text


def test_comments_real_ids_and_other_files_are_left_alone() -> None:
    assert named("responsibility.yaml", "# U0REPLACEOWNER\nx: U0OWNER\ny: Replace Owner\n") == []
    assert named("notes.txt", "U0REPLACEOWNER") == []
    assert named("some-runbook.md", "---\nid: x\n---\nAsk <@U0REPLACEOWNER>.\n")[0][1] == 4


def test_bytes_that_are_no_text_are_somebody_elses_finding() -> None:
    report = PolicyReport()
    placeholders({"responsibility.yaml": b"\xff\xfe U0REPLACEOWNER"}, report)
    assert [f.line for f in report.sorted()] == [1]

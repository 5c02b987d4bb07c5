"""An executor's address and secret, looked at where the environment is known."""

from __future__ import annotations

import pytest

from runbooks.executor_keys import is_secret
from runbooks.loader import load_files

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

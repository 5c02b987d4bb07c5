"""Which proxy a call out takes."""

from __future__ import annotations

import pytest

from bot.http.proxies import exempt, proxy_for, spare_loopback

BOTH = {"HTTPS_PROXY": "http://secure.example:3128", "HTTP_PROXY": "plain.example:3128"}


@pytest.mark.parametrize(("url", "environment", "proxy"), [
    ("https://slack.com/api/", BOTH, "http://secure.example:3128"), ("wss://wss.slack.com/", BOTH, "http://secure.example:3128"),
    ("http://slack.com/api/", BOTH, "http://plain.example:3128"), ("ws://slack.com/", BOTH, "http://plain.example:3128"),
    ("https://slack.com/", {"ALL_PROXY": "http://all.example:1"}, "http://all.example:1"),
    ("https://slack.com/", {"ALL_PROXY": "socks5://all.example:1"}, None),
    ("https://slack.com/", {**BOTH, "https_proxy": "http://small.example:1"}, "http://small.example:1"),
    ("https://slack.com/", {"HTTPS_PROXY": " "}, None), ("https://slack.com/", {}, None),
    ("https://slack.com/", {**BOTH, "NO_PROXY": "other.example, slack.com"}, None),
    ("https://slack.com/", {**BOTH, "no_proxy": "*"}, None),
    ("http://localhost:3000/api/", BOTH, None), ("http://127.0.0.1:3000/", BOTH, None), ("http://127.9.9.9/", BOTH, None),
    ("ws://[::1]:3000/", BOTH, None), ("http://[::ffff:127.0.0.1]/", BOTH, None), ("http://LOCALHOST/", BOTH, None),
    ("http://localhost.evil.example/", BOTH, "http://plain.example:3128"),
    ("smtp://mail.example/", BOTH, None), ("http://[broken/", BOTH, None), ("", BOTH, None),
])  # fmt: skip
def test_the_variables_name_a_proxy_and_this_machine_needs_none(
    url: str, environment: dict[str, str], proxy: str | None
) -> None:
    assert proxy_for(url, environment) == proxy


@pytest.mark.parametrize(("no_proxy", "host", "port", "is_exempt"), [
    ("corp.example", "corp.example", 443, True), ("corp.example", "pam.corp.example", 443, True),
    (".corp.example", "pam.corp.example", 443, True), (".corp.example", "corp.example", 443, True),
    ("*.corp.example", "pam.corp.example", 443, True), ("corp.example", "evilcorp.example", 443, False),
    ("CORP.example", "PAM.corp.EXAMPLE", 443, True), ("corp.example.", "corp.example", 443, True),
    ("corp.example:8443", "corp.example", 8443, True), ("corp.example:8443", "corp.example", 443, False),
    ("10.0.0.0/8", "10.20.30.40", 443, True), ("10.0.0.0/8", "11.0.0.1", 443, False), ("10.0.0.0/8", "ten.example", 443, False),
    ("10.1.2.3", "10.1.2.3", 443, True), ("10.1.2.3:80", "10.1.2.3", 443, False), ("10.1.2.3", "::ffff:10.1.2.3", 443, True),
    ("fd00::/8", "fd12::1", 443, True), ("fd12::1", "fd12:0::1", 443, True), ("[fd12::1]:80", "fd12::1", 80, True),
    ("[fd12::1]:80", "fd12::1", 443, False), ("a.example b.example", "b.example", 443, True), ("/33,10.0.0.0/99", "10.0.0.1", 1, False),
    (",. ,", "corp.example", 443, False), ("", "corp.example", 443, False), ("2", "10.0.0.2", 443, False),
])  # fmt: skip
def test_no_proxy_names_hosts_suffixes_ranges_and_ports(no_proxy: str, host: str, port: int, is_exempt: bool) -> None:
    assert exempt(host, port, no_proxy) is is_exempt


@pytest.mark.parametrize(("environment", "no_proxy"), [
    (BOTH, "localhost,127.0.0.1,::1"), ({**BOTH, "NO_PROXY": "a.example, ::1"}, "a.example,::1,localhost,127.0.0.1"),
    ({**BOTH, "no_proxy": "*"}, "*"), ({}, None), ({"NO_PROXY": "a.example"}, None),
])  # fmt: skip
def test_packages_that_read_the_variables_themselves_spare_this_machine(
    environment: dict[str, str], no_proxy: str | None
) -> None:
    changed = dict(environment)
    spare_loopback(changed)
    assert changed.get("no_proxy") == no_proxy

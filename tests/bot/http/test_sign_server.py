"""The page for signing: a shell without data, strict headers, and calls that only our own page makes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

import bot.http.sign_server
from bot.domain.errors import StorageError
from bot.http.sign_server import SignServer

ORIGIN = "https://countersign.example.org"


@dataclass
class Told:
    status: int = 200
    body: Mapping[str, object] = field(default_factory=dict)
    session: str = ""


async def _echo(body: Mapping[str, object]) -> Told:
    if body.get("bad"):
        raise ValueError("bad")
    if body.get("broken"):
        raise StorageError("The database is locked.")
    return Told(200, {"got": body.get("token")})


@pytest.fixture
async def served() -> AsyncIterator[str]:
    server = SignServer({"/api/read": _echo}, lambda: ORIGIN, listen="127.0.0.1:0")
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


@pytest.mark.parametrize("path", ["/", "/d", "/page.js", "/page.css", "/api/read", "/nothing"])
async def test_every_answer_has_the_strict_headers(served: str, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(served + path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


async def test_without_https_nothing_asks_for_https() -> None:
    server = SignServer({}, lambda: "http://localhost:3002", listen="127.0.0.1:0")
    await server.start()
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{server.port}/") as answer:
        assert "Strict-Transport-Security" not in answer.headers
    await server.stop()


async def test_a_call_of_our_page_is_carried_out_and_one_of_another_is_not(served: str) -> None:
    async with aiohttp.ClientSession() as session:
        for origin, status in ((ORIGIN, 200), ("https://evil.example", 403), ("null", 403)):
            async with session.post(f"{served}/api/read", json={"token": "t"}, headers={"Origin": origin}) as answer:
                assert answer.status == status, origin
        async with session.post(f"{served}/api/read", data={"token": "t"}) as answer:
            assert answer.status == 405


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"[]", 400), (b"{", 400), (b"[" * 9_000, 400), (b'{"bad":1}', 400), (b'{"broken":1}', 503), (b" " * 40_000, 400)],
)
async def test_a_body_that_is_not_understood_is_answered(served: str, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session, session.post(f"{served}/api/read", data=body, headers=headers) as answer:
        assert answer.status == status
        assert str((await answer.json())["text"]).endswith(".")


def test_the_shell_holds_no_inline_script_and_nothing_from_elsewhere() -> None:
    folder = Path(bot.http.sign_server.__file__).parent / "sign_page"
    shell, script = (folder / "page.html").read_text(), (folder / "page.js").read_text()
    assert "http" not in shell
    assert shell.count("<script") == 1
    assert "innerHTML" not in script

"""What the doctor says of the page for signing."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bot.cli.signing.doctor_page import diagnose, has_caa
from bot.domain.policy.signing import Signing
from tests.bot.building import policy
from tests.bot.passkeys import signed_policy


async def texts(origin: str) -> list[str]:
    signing = Signing("localhost", origin)
    return [str(one) for one in await diagnose(replace(signed_policy(), signing=signing))]


async def test_without_signing_nothing_is_looked_at() -> None:
    assert await diagnose(policy()) == []
    assert await diagnose(None) == []


async def test_a_person_with_a_single_key_is_named() -> None:
    found = await texts("http://localhost:3002")
    assert [text for text in found if "Only one passkey" in text]
    assert len(found) == 1


async def test_a_page_that_cannot_be_reached_is_named() -> None:
    found = await texts("https://localhost:9")
    assert [text for text in found if "https://localhost:9 cannot be reached" in text]


@pytest.mark.parametrize("answers", [0, 1])
def test_a_name_server_is_asked_for_the_record_of_certificate_authorities(answers: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, ThreadPoolExecutor(1) as thread:
        server.bind(("127.0.0.1", 0))
        asked = thread.submit(has_caa, "127.0.0.1", "sign.example.org", server.getsockname()[1])
        query, back = server.recvfrom(512)
        assert query[12:] == b"\x04sign\x07example\x03org\x00\x01\x01\x00\x01"
        server.sendto(query[:2] + b"\x81\x80\x00\x01" + answers.to_bytes(2) + bytes(4) + query[12:], back)
        assert asked.result(5) is (answers > 0)

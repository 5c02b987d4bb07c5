"""What `countersign doctor` says of the page for signing: its certificate, HSTS, who may issue certificates for it, and the keys.

Whoever controls the name, a certificate or the proxy of the page can show one thing and have another signed.
Source: signed-decisions.md, "Stated limits"; RFC 6797 (HSTS); RFC 8659 (CAA).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import ClientConnectorCertificateError, ClientError, ClientSession, ClientSSLError, ClientTimeout

from bot.clock import SystemClock
from bot.diagnostics import Diagnosis, error, warning
from bot.domain.policy.model import Policy
from bot.domain.policy.signing import Signing

_PATIENCE, _CAA = 5.0, 257  # seconds; the record type
_RESOLVERS = Path("/etc/resolv.conf")


async def diagnose(policy: Policy | None) -> list[Diagnosis]:
    """Nothing where the policy has no `signing`."""
    if policy is None or policy.signing is None:
        return []
    found = list(_keys(policy))
    if urlsplit(policy.signing.origin).scheme == "https":
        found += await _served(policy.signing)
        found += await asyncio.to_thread(_caa, policy.signing)
    return found


def _keys(policy: Policy) -> Iterator[Diagnosis]:
    single = [named.name for named in policy.people if len(named.passkeys) == 1]
    if single:
        text = f"Only one passkey: {', '.join(single[:10])}. Enrol a second one each, and keep it in a safe."
        yield warning("signing", text)


async def _served(signing: Signing) -> list[Diagnosis]:
    """Certificate, page and HSTS as a browser meets them."""
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=_PATIENCE)) as session,
            session.get(f"{signing.origin}/", allow_redirects=False) as answer,
        ):
            page = await answer.text()
            strict = "Strict-Transport-Security" in answer.headers
    except (ClientConnectorCertificateError, ClientSSLError):
        return [error("signing", f"The certificate of {signing.origin} is not valid: nobody can sign there.")]
    except (ClientError, TimeoutError, OSError, UnicodeDecodeError):
        return [warning("signing", f"{signing.origin} cannot be reached from here: serve COUNTERSIGN_SIGN_LISTEN there.")]
    if "/page.js" not in page:
        return [warning("signing", f"{signing.origin} is not the page for signing: let the proxy pass it on unchanged.")]
    return [] if strict else [warning("signing", f"{signing.origin} lacks Strict-Transport-Security: the proxy drops it.")]


def _caa(signing: Signing) -> list[Diagnosis]:
    """Whether some name from the host upwards says who may issue certificates for it."""
    host = urlsplit(signing.origin).hostname or ""
    try:
        servers = [line.split()[1] for line in _RESOLVERS.read_text("utf-8").splitlines() if line.startswith("nameserver")]
        labels = host.split(".")
        if any(has_caa(servers[0], ".".join(labels[n:])) for n in range(len(labels) - 1)):
            return []
    except (OSError, IndexError):
        return [warning("signing", f"Nobody answers whether {host} has a CAA record. Check it: dig CAA {host}")]
    return [warning("signing", f"{host} has no CAA record, so any authority may issue a certificate for it: add one.")]


def has_caa(server: str, name: str, port: int = 53) -> bool:
    """Whether a name server has a CAA record of this name. Raises OSError where it does not answer."""
    query = SystemClock().salt()[:2] + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    query += b"".join(bytes([len(label)]) + label.encode("idna") for label in name.split(".")) + b"\x00"
    query += _CAA.to_bytes(2) + b"\x00\x01"
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.settimeout(_PATIENCE / 2)
        asked.sendto(query, (server, port))
        answer = asked.recv(4096)
    if answer[:2] != query[:2]:
        raise OSError("another answer")
    return int.from_bytes(answer[6:8]) > 0

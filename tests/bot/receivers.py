"""What is outside the host, on this machine: a small C2SP witness, a mail server, an incoming webhook."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.decision_log.keys import verify
from bot.domain.decision_log.inclusion_proof import extends
from bot.domain.decision_log.signed_note import VerifierKey, open_checkpoint, read_note
from bot.domain.decision_log.witness import WitnessKey, cosignature, signed_message
from bot.domain.errors import NoteError


@dataclass
class SmallWitness:
    """Remembers one checkpoint for each origin, and cosigns what extends it. `known` are the logs that it trusts."""

    known: list[VerifierKey] = field(default_factory=list)
    seen: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    bodies: list[str] = field(default_factory=list)
    url: str = ""
    answers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()
        self.key = WitnessKey("witness.example/w1", self._private.public_key().public_bytes_raw())

    async def add(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.bodies.append(body)
        status, text = self._judged(body)
        self.answers.append(status)
        return web.Response(status=status, text=text)

    def _judged(self, body: str) -> tuple[int, str]:
        head, _, note = body.partition("\n\n")
        first, *hashes = head.split("\n")
        old = int(first.removeprefix("old "))
        origin = note.split("\n", 1)[0]
        if not any(key.name == origin for key in self.known):
            return 404, ""
        try:
            found = open_checkpoint(note, self.known, verify)
        except NoteError:
            return 403, ""
        size, root = self.seen.get(origin, (0, b""))
        if old != size:
            return 409, f"{size}\n"
        path = [base64.b64decode(line) for line in hashes]
        if size and not (found.root == root if size == found.size else extends(size, found.size, root, found.root, path)):
            return 422, ""
        self.seen[origin] = (found.size, found.root)
        text = read_note(note).text
        return 200, str(cosignature(text, self.key, 1_700_000_000, self._private.sign(signed_message(text, 1_700_000_000))))


@dataclass
class Hook:
    """An incoming webhook."""

    posts: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.posts.append(await request.json())
        return web.Response(status=self.status, text="ok")


@dataclass
class MailServer:
    """Takes every message; `said` are the commands before them."""

    messages: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    refuses: bool = False
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().strip():
            self.said.append(line)
            word = line.split(" ", 1)[0].upper()
            if word == "DATA":
                writer.write(b"354 go on\r\n")
                self.messages.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                writer.write(b"250 taken\r\n")
            elif word == "EHLO":
                writer.write(b"250-here\r\n250 AUTH PLAIN LOGIN\r\n")
            elif word == "AUTH":
                writer.write(b"235 known\r\n")
            elif word == "RCPT" and self.refuses:
                writer.write(b"550 nobody\r\n")
            elif word == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 well\r\n")
            await writer.drain()
        writer.close()


@dataclass
class Outside:
    witness: SmallWitness
    hook: Hook
    mail: MailServer


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """All three, listening on the loopback address."""
    found = Outside(SmallWitness(), Hook(), MailServer())
    app = web.Application()
    app.router.add_post("/w/add-checkpoint", found.witness.add)
    app.router.add_post("/hook", found.hook.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    server = await asyncio.start_server(found.mail.serve, "127.0.0.1", 0)
    found.witness.url, found.hook.url = f"http://127.0.0.1:{port}/w", f"http://127.0.0.1:{port}/hook"
    found.mail.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()
        await runner.cleanup()

"""Signed HTTP requests to the app's `request_url`, whatever sockets there are."""

import json
from collections.abc import Mapping

import aiohttp

from sandbox.delivery import Delivery, encoded
from sandbox.workspace import Json
from sandbox.world import World


async def post_raw(
    delivery: Delivery, world: World, kind: str, payload: Json, *, timestamp: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, str]:  # fmt: skip
    """Send one payload, signed; `headers` overwrite. Returns status and body."""
    content_type, body = encoded(kind, payload)
    signed = {**delivery.signed(body, content_type, timestamp), **(headers or {})}
    async with aiohttp.ClientSession() as session:
        url = world.workspace.app.request_url
        async with session.post(url, data=body.encode(), headers=signed) as response:
            return response.status, await response.text()


async def verify_url(delivery: Delivery, world: World) -> bool:
    """Perform Slack's url_verification handshake. Returns whether the challenge came back."""
    challenge = world.new_id("challenge")
    payload = {"token": world.workspace.app.verification_token, "challenge": challenge, "type": "url_verification"}
    status, body = await post_raw(delivery, world, "events_api", payload)
    if status != 200:
        return False
    try:
        return bool(json.loads(body).get("challenge") == challenge)
    except ValueError:
        return body.strip() == challenge

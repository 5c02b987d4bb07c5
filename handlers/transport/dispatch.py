"""Passes one payload to bolt, over HTTP and Socket Mode alike: parsed, without the request's headers, and it never raises.

The headers are left out because bolt acts on some of them (`X-Slack-Bolt-Lazy-Only`) and no signature covers them.
Interactions of a type that nothing of ours sends (`interactive_message`, `block_suggestion`, …) are acknowledged and ignored:
bolt would match some of them with the buttons of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from handlers.transport.envelope import KINDS, WRONG_SHAPE, Payload
from handlers.transport.signature import NotAuthentic

EXPECTED = KINDS - {"block_suggestion", "view_closed"}
Door = Literal["gate", "socket_mode"]
_LONGEST = 3_000  # characters of a text in which a request is looked for
_REQUEST = re.compile(r"\bR-[0-9A-Z]{8}\b", re.IGNORECASE | re.ASCII)
log = structlog.get_logger(__name__)


async def dispatched(app: AsyncApp, payload: Payload, door: Door) -> BoltResponse | NotAuthentic | None:
    """Bolt's answer; NotAuthentic where bolt cannot read the payload; None where it failed and nothing is known to be done.

    Never raises. Each refusal and failure is one log line, `<door>.refused` or `<door>.failed`, without the payload's content.
    Every line that is written meanwhile, also by a lazy function, names the request that the payload is about.
    """
    with structlog.contextvars.bound_contextvars(**about(payload.body)):
        return await _dispatched(app, payload, door)


def about(body: Mapping[str, Any]) -> dict[str, str]:
    """The request that a button's value, a form's metadata or a command's text names, as a log line's `request`; read
    leniently, because it is looked up nowhere."""
    view, actions = body.get("view"), body.get("actions")
    said = [one.get("value") for one in actions if isinstance(one, dict)] if isinstance(actions, list) else []
    said += [view.get("private_metadata") if isinstance(view, dict) else None, body.get("text")]
    found = (_REQUEST.search(text[:_LONGEST]) for text in said if isinstance(text, str))
    return next(({"request": one.group().upper()} for one in found if one), {})


async def _dispatched(app: AsyncApp, payload: Payload, door: Door) -> BoltResponse | NotAuthentic | None:
    if payload.kind not in EXPECTED:
        log.warning(f"{door}.ignored", kind=payload.kind)
        return BoltResponse(status=200, body="")
    try:
        request = AsyncBoltRequest(body=payload.body, mode="socket_mode")
    except Exception as error:  # noqa: BLE001  # an unforeseen shape that bolt cannot read
        log.warning(f"{door}.refused", fault=WRONG_SHAPE.fault, error=type(error).__name__)
        return WRONG_SHAPE
    try:
        answer = await app.async_dispatch(request)
    except Exception as error:  # noqa: BLE001  # the only log line about it: its type and place, not its content
        log.error(f"{door}.failed", kind=payload.kind, error=type(error).__name__, at=_place(error))
        return None
    return None if answer.status >= 500 else answer  # of a listener's failure bolt wrote the line


def _place(error: BaseException) -> str:
    """Where it was raised, without what was in hand there."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"

"""One payload into bolt, the same from either door: parsed, without the request's headers, and never an exception back.

The headers stay outside because bolt acts on some of them (`X-Slack-Bolt-Lazy-Only`) and no signature covers them.
"""

from __future__ import annotations

from typing import Literal

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from handlers.transport.envelope import WRONG_SHAPE, Payload
from handlers.transport.signature import NotAuthentic

Door = Literal["gate", "socket_mode"]
log = structlog.get_logger(__name__)


async def dispatched(app: AsyncApp, payload: Payload, door: Door) -> BoltResponse | NotAuthentic | None:
    """Bolt's answer; Refused where bolt cannot even read the payload; None where it failed and nothing is known to be done.

    Never raises. Each refusal and failure is one line, `<door>.refused` or `<door>.failed`, without what the payload holds.
    """
    try:
        request = AsyncBoltRequest(body=payload.body, mode="socket_mode")
    except Exception as error:  # noqa: BLE001  # a shape that nobody foresaw: bolt could not even read it
        log.warning(f"{door}.refused", fault=WRONG_SHAPE.fault, error=type(error).__name__)
        return WRONG_SHAPE
    try:
        answer = await app.async_dispatch(request)
    except Exception as error:  # noqa: BLE001  # the only line about it: its type and place, not what it holds
        log.error(f"{door}.failed", kind=payload.kind, error=type(error).__name__, at=_place(error))
        return None
    return None if answer.status >= 500 else answer  # of a listener's failure bolt wrote the line


def _place(error: BaseException) -> str:
    """Where it was raised, without what was in hand there."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"

"""Acts of a host that the replica which leads carries out: commands on the host, and lines of other replicas' emergency files.

Both come as rows of the inbox, and count only with a signature of the log's key: whoever can write into the database, and has no
key, cannot have an act carried out by it. A command's act is committed on exactly the version that it was judged on; a line is
entered as `bot.domain.failsafe.late_entry` says, on the case as it is now.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import rfc8785
import structlog

from bot.decision_log.emergency_file import Check, EmergencyFile, Sign
from bot.decision_log.emergency_json import from_plain, to_plain
from bot.decision_log.late_lines import LateLines
from bot.domain.case.transition import Transition
from bot.domain.errors import CountersignError, EntryError, Frozen, Stale, Stopped, StorageError, TooLate
from bot.ports.host_commands import HOST, ActOnHost
from bot.ports.store import Store

TRIES = 8
_SAYS = b"countersign host act v1\n"  # before what is signed, so that it can never be taken for a note or a line
_KINDS: Mapping[str, type[CountersignError]] = {
    "stale": Stale, "too late": TooLate, "frozen": Frozen, "stopped": Stopped, "entry": EntryError,
}  # fmt: skip
log = structlog.get_logger(__name__)


def command(act: Transition, sign: Sign) -> ActOnHost:
    """A command's act as the inbox takes it. Raises EntryError."""
    body = {"act": to_plain(act)}
    signature = base64.b64encode(sign(_SAYS + rfc8785.dumps(body))).decode()  # type: ignore[arg-type]  # its own alias of JSON
    return ActOnHost(HOST, json.dumps(body | {"sig": signature}, separators=(",", ":")))


def raise_as(outcome: str) -> None:
    """Raises what the leader answered; nothing where it carried the act out."""
    if outcome:
        kind, _, text = outcome.partition(": ")
        raise _KINDS.get(kind, StorageError)(text)


class HostActs:
    """Of the replica that leads. `committed` is called with each act that was committed."""

    def __init__(
        self,
        store: Store,
        late: LateLines,
        emergency: EmergencyFile,
        check: Check,
        committed: Callable[[Transition], None] = lambda act: None,
    ) -> None:
        self._store, self._late_lines, self._emergency, self._check = store, late, emergency, check
        self._committed = committed

    async def carry_out(self, act: ActOnHost, inbox_id: int) -> None:
        """Carries out one row, and notes the answer. Raises StorageError where the database does not take it now."""
        try:
            done = await (self._late(act, inbox_id) if act.late else self._commanded(act, inbox_id))
        except StorageError:
            raise
        except CountersignError as error:
            await self._store.inbox.refuse(inbox_id, f"{_kind(error)}: {error}")
        else:
            self._committed(done)

    async def _commanded(self, row: ActOnHost, inbox_id: int) -> Transition:
        """A command may itself finish a row of the inbox: one that it gives up."""
        act = self._judged(row.line)
        given_up = () if act.inbox is None else (Transition(None, None, inbox=act.inbox),)
        act = replace(act, inbox=inbox_id, also=(*act.also, *given_up))
        await self._store.commit(act)
        return act

    def _judged(self, text: str) -> Transition:
        try:
            body: dict[str, Any] = json.loads(text)
            signature = base64.b64decode(body.pop("sig"), validate=True)
            signed = self._check(_SAYS + rfc8785.dumps(body), signature)
            act = from_plain(body["act"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
            raise EntryError(f"The act of a host cannot be read: {error}.") from None
        if not signed or not isinstance(act, Transition):
            log.error("host.not_signed")
            raise EntryError("The act of a host is not signed with the log's key.")
        return act

    async def _late(self, row: ActOnHost, inbox_id: int) -> Transition:
        line = self._emergency.read(row.line)
        if line is None:
            raise EntryError("The line is not signed with the log's key.")
        line = line.saying(tuple(line.act.says[place] for place in row.unsent))
        for attempt in range(TRIES):
            found = await self._late_lines.act(line) or Transition(None, None)
            act = replace(found, inbox=inbox_id)
            try:
                await self._store.commit(act)
            except Stale:
                if attempt == TRIES - 1:  # while the log is stopped this replica's own file may end the same request
                    raise StorageError("The request changes meanwhile; the line is entered later.") from None
                continue
            log.warning("log.entered_later", request=act.after.id if act.after else None)
            return act
        raise AssertionError


def _kind(error: CountersignError) -> str:
    return next((word for word, kind in _KINDS.items() if isinstance(error, kind)), "other")

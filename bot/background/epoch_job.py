"""Begins a new epoch of the log: its entry, a fresh key, the signer's memory; then the emergency file is entered.

It runs only while the signer refuses the log, and only if what survives is consistent. Each step is on disk before the next
begins, and a restarted process skips the steps that are done: the key waits in `log.key.epoch` from before the entry that
names it until it signs.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bot.background.operator_jobs import JobContext, Run
from bot.decision_log.keys import LOG_KEY, RETIRED, make_key, read_key, read_pem, replace_file
from bot.decision_log.signer_memory import recall, remember
from bot.domain.case.operator_action import OperatorAction
from bot.domain.decision_log.signed_note import Checkpoint, sign
from bot.domain.errors import KeyFileError, NotDone, NoteError
from bot.domain.operator import dual_control
from bot.domain.operator import new_epoch as rules
from bot.domain.policy.model import Policy
from bot.ports.database import Location
from bot.runtime.open_log import OpenLog
from storage.log.check import check_log
from storage.sql_store import SqlStore

NEXT = "log.key.epoch"


@dataclass(frozen=True, slots=True)
class EpochContext:
    """What the job works on: the database, its file, the folder of keys and memory, and the open log."""

    store: SqlStore
    path: Location
    state_dir: Path
    standing: OpenLog


def beginning(context: JobContext, ground: EpochContext) -> Run:
    """Begins a new epoch, or completes the action whose epoch has begun."""

    async def run(act: OperatorAction) -> None:
        if ground.standing.signer.stopped is not None:
            await _begin(context.policy, ground)
            return  # the action itself is entered first; the next run completes it
        begun = await ground.store.epochs.newest()
        if begun is None or begun.at < act.filed_at:
            raise NotDone("The decision log is not stopped any more, so nothing was begun anew.")
        result = f"The log goes on as {begun.origin} after {begun.surviving} entries."
        await context.transactions.commit(dual_control.ran(act, context.policy, context.clock.now(), result))

    return run


async def _begin(policy: Policy, ground: EpochContext) -> None:
    ready = ground.state_dir / NEXT
    head, begun = await ground.store.log.head(), await ground.store.epochs.newest()
    if begun is None or begun.index != head.size - 1 or not ready.exists():
        await _written(policy, ground)
        begun = await ground.store.epochs.newest()
        assert begun is not None
    root = await ground.store.epochs.root_at(begun.surviving)
    with ground.standing.lock:
        _take_over(ground.state_dir, begun.origin)
        remember(ground.state_dir, Checkpoint(begun.origin, begun.surviving, root))
        ready.unlink(missing_ok=True)
    ground.standing.signer.resume()
    await ground.standing.stoppable.look()


async def _written(policy: Policy, ground: EpochContext) -> None:
    """Commits the entry, which names a key that is on disk. Raises NotDone if what survives is inconsistent."""
    checked = await check_log(ground.path)
    if checked.findings:
        raise NotDone(
            f"What survives contradicts itself ({checked.findings[0]}): restore another backup, then file this again."
        )
    make_key(ground.state_dir / NEXT)
    head = await ground.store.log.head()
    origin = rules.next_origin(head.origin, await ground.store.epochs.count())
    key = read_key(ground.state_dir / NEXT).vkey(origin)
    last = await asyncio.to_thread(_last_signed, ground.state_dir)
    note = last[0] if last is not None else await ground.store.log.last_checkpoint()
    draft = rules.started(note, head.size, last[1] if last is not None else None, str(key), policy)
    await ground.store.epochs.begin(head.size, origin, draft)


def _last_signed(state_dir: Path) -> tuple[str, int] | None:
    """The last note as it was signed (Ed25519 is deterministic) and its size; None if memory or key is gone."""
    try:
        memory, key = recall(state_dir), read_key(state_dir / LOG_KEY)
    except (NoteError, KeyFileError):
        return None
    if memory is None or memory.size == 0:
        return None
    return str(sign(memory.text, [(key.vkey(memory.origin), key.sign)])), memory.size


def _take_over(state_dir: Path, origin: str) -> None:
    """Makes the fresh key the signing key; the previous one stays a verifier key under the previous origin."""
    fresh = read_pem(state_dir / NEXT)
    try:
        before = read_pem(state_dir / LOG_KEY)
    except KeyFileError:
        before = b""
    if before == fresh:
        return
    retired = state_dir / RETIRED
    lines = retired.read_text().splitlines() if retired.exists() else []
    if before:
        line = str(read_key(state_dir / LOG_KEY).vkey(rules.previous_origin(origin)))
        lines = [line, *(known for known in lines if known != line)]
        replace_file(retired, "".join(f"{known}\n" for known in lines).encode())
    replace_file(state_dir / LOG_KEY, fresh)

"""Which policy is in force: the one loaded at the start, and what happens when the files change.

A valid set is stored, logged and announced in one transaction before it takes effect; an invalid one is reported and the last
valid one stays in force. A stopped log accepts none. Design, section 2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bot.background.calendar_feeds import CalendarFeeds, carried
from bot.clock import Clock
from bot.decision_log.failsafe_store import FailsafeStore
from bot.domain.authority.policy_rollout import InForce, Sets
from bot.domain.authority.signing_window import change_windows
from bot.domain.case.transition import SYSTEM, FileDigest, LogEvent, Notification, Transition
from bot.domain.errors import PolicyError, Stopped, StorageError
from bot.domain.policy.model import Policy
from bot.domain.workflow.key_notices import nobody_can_sign, unendorsed
from bot.domain.workflow.notifications import announced
from bot.ports.records import StoredPolicy
from bot.ports.store import Store
from bot.runtime.named_values import named_values
from bot.service.current_policy import CurrentPolicy
from runbooks.loader import Loaded, load_files
from runbooks.parsing.file_watch import changes
from runbooks.parsing.findings import PolicyFinding
from runbooks.parsing.folder import read_folder
from storage.sql_store import SqlStore

_LOOK = 1.0  # seconds between two looks at what the leader has accepted
_AGAIN = 5.0  # seconds between attempts while the log is stopped
log = structlog.get_logger(__name__)


async def stored_policy(store: SqlStore, clock: Clock, scale: float) -> Policy:
    """The policy in force, from the database. Raises PolicyError before a leader has accepted one."""
    known = await accepted_sets(store, clock.now(), scale)
    if known is None:
        raise PolicyError("No policy is accepted yet; a replica that stands by waits until the leader has accepted one.")
    return known.current


async def first_policy(store: SqlStore, clock: Clock, folder: Path, scale: float, *, shared: bool = False) -> Policy:
    """The policy to start with: the folder's, else the last valid one stored. New rights are announced.

    `shared`: other replicas have folders too, so a folder whose set was superseded brings it not back (`policy.stale`)."""
    loaded = load_files(read_folder(folder), environment=named_values(), require_env=True, today=clock.now().date())
    known = await accepted_sets(store, clock.now(), scale)
    kept = known.current if known is not None else None
    if shared and kept is not None and loaded.policy is not None and await _superseded(store, loaded.policy, kept):
        log.error("policy.stale", digest=loaded.policy.digest, in_force=kept.digest, folder=str(folder))
        return kept
    if loaded.policy is not None:
        try:
            await _accept(store, clock, known, loaded.policy, scale)
        except (Stopped, StorageError) as error:  # no access is given meanwhile, and the last accepted set is known
            log.error("policy.not_accepted", reason=str(error))
            return kept or loaded.policy
        return loaded.policy
    if kept is None:
        _report(tuple(f for f in loaded.findings if f.severity != "error"))  # the errors are in what is raised
        text = "\n".join(str(f) for f in loaded.errors)
        raise PolicyError(
            f"{text}\nThe policy in {folder} is refused and no earlier one is stored; run `countersign check`."
        )
    _report(loaded.findings)
    await _rejected(store, loaded)
    log.error("policy.kept", digest=kept.digest, reason="the files are refused; the last good set stays in force")
    return kept


async def _superseded(store: SqlStore, policy: Policy, current: Policy) -> bool:
    """Whether a set was in force once and another one is now."""
    return policy.digest != current.digest and await store.policies.by_digest(policy.digest) is not None


async def accepted_sets(store: Store, now: datetime, scale: float) -> Sets | None:
    """The sets that still bind, across restarts, the one accepted last at the end; None where none is stored.

    A set that this program cannot read any more is left out, and that is logged.
    """
    stored = await store.policies.binding(now)
    read = {digest: _reread(one) for digest, one in {one.digest: one for one in stored}.items()}
    for digest in (digest for digest, policy in read.items() if policy is None):
        log.error("policy.unreadable", digest=digest, reason="it was accepted by an earlier version and binds nothing now")
    found: list[InForce] = []
    for one in stored:
        policy = read[one.digest]
        if policy is None:
            continue
        if found and found[-1].until is None:  # replaced before it was kept until when it binds
            found[-1] = replace(found[-1], until=Sets(tuple(found)).binds_until(policy, one.accepted_at, scale))
        found.append(InForce(policy, one.accepted_at, one.binds_until))
    return Sets(tuple(found)) if found else None


def _reread(stored: StoredPolicy | None) -> Policy | None:
    return load_files({f.path: f.content for f in stored.files}).policy if stored else None


@dataclass(frozen=True, slots=True)
class PolicyReload:
    """Keeps the set in force up to date. `note` writes what has to be known of a set before it is in force (the agreement)."""

    store: SqlStore
    clock: Clock
    scale: float
    current: CurrentPolicy
    note: Callable[[Policy], Awaitable[None]]

    async def follow_stored(self) -> None:
        """For a standby: takes up what the leader has accepted. Never returns."""
        while True:
            await asyncio.sleep(_LOOK)
            try:
                known = await accepted_sets(self.store, self.clock.now(), self.scale)
                await self.current.refresh()  # what is known counts while the database is lost
            except StorageError:
                continue
            if known is not None and known.current.digest != self.current.policy.digest:
                self.current.sets = known

    async def follow(self, folder: Path, feeds: CalendarFeeds, log_is: FailsafeStore) -> None:
        """Live reload: adopts a valid set; reports an invalid one and keeps the last valid one. Never returns."""
        known = read_folder(folder)
        if log_is.why:  # the log accepted no policy at the start, perhaps not this one
            await self._taken_up(folder, feeds, known)
        async for files in changes(folder, since=known):
            await self._taken_up(folder, feeds, files)

    async def _taken_up(self, folder: Path, feeds: CalendarFeeds, files: Mapping[str, bytes]) -> None:
        """Retries until the set is judged: a stopped log accepts none, and afterwards the folder is read again."""
        while not await self.adopt(feeds, files):
            await asyncio.sleep(_AGAIN)
            files = read_folder(folder)

    async def adopt(self, feeds: CalendarFeeds, files: Mapping[str, bytes]) -> bool:
        """Judges a changed set of files and puts it in force, or reports it. Returns False while the log accepts nothing."""
        today = self.clock.now().date()
        loaded = await asyncio.to_thread(load_files, files, environment=named_values(), require_env=True, today=today)
        if loaded.policy is None:
            _report(loaded.findings)
            await _rejected(self.store, loaded)
            return True
        if loaded.policy.digest == self.current.policy.digest:
            return True
        try:
            await _accept(self.store, self.clock, self.current.sets, loaded.policy, self.scale)
            await self.note(loaded.policy)  # before it is in force: nothing counts in between that is held
        except (Stopped, StorageError) as error:
            log.error("policy.not_accepted", reason=str(error))
            return False
        await self.current.adopt(carried(loaded.policy, self.current.policy))
        feeds.soon()
        log.info("policy.loaded", digest=loaded.policy.digest)
        return True


async def _accept(store: SqlStore, clock: Clock, sets: Sets | None, policy: Policy, scale: float) -> None:
    """Stores a set, logs it and announces its new rights, in one transaction."""
    listed = tuple({"path": f.path, "sha256": f.sha256} for f in policy.files)
    named = FileDigest(policy.organisation, policy.digest)
    draft = LogEvent("policy.loaded", SYSTEM, data={"files": listed}, policy=named)
    now = clock.now()
    until = sets.binds_until(policy, now, scale) if sets is not None else None
    told: tuple[Notification, ...] = ()
    if sets is not None and until is not None:
        silent = change_windows(sets, policy, now, scale)
        told = (
            *announced(sets.current, policy, until),
            *unendorsed(sets.current, policy, until),
            *nobody_can_sign(policy, silent, until),
        )
    accepted = StoredPolicy(policy.digest, now, policy.files)
    after = sets.then(policy, now, scale) if sets is not None else Sets((InForce(policy, now),))
    kept_for = timedelta(seconds=after.retention(now) / scale)
    await store.policies.accept(accepted, [draft], told, replaced_binds_until=until, kept_for=kept_for)


async def _rejected(store: SqlStore, loaded: Loaded) -> None:
    """Logs where the set is invalid: file and line, never text."""
    places = tuple(f"{f.file}:{f.line}" for f in loaded.errors[:50])
    try:
        await store.commit(Transition(None, None, (LogEvent("policy.rejected", SYSTEM, data={"places": places}),)))
    except (Stopped, StorageError) as error:
        log.error("policy.not_logged", reason=str(error))


def _report(findings: tuple[PolicyFinding, ...]) -> None:
    for finding in findings:
        level = log.error if finding.severity == "error" else log.warning
        level("policy.finding", file=finding.file, line=finding.line, text=finding.text)

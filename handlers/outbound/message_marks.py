"""Adds what every message carries: its own mark, that of a scaled clock, and the checkpoint where it shows a decision."""

from __future__ import annotations

from dataclasses import replace

from bot.ports.records import SignedCheckpoint
from handlers.outbound.message_kinds import Dropped, Job, NewMessage, Published, Reply, ViewUpdate
from handlers.outbound.shown_messages import digest
from handlers.views.checkpoint import unsigned, with_checkpoint
from handlers.views.kit.context import ViewContext
from handlers.views.kit.time_scale_mark import marked_once


def finished(job: Job, scene: ViewContext, signed: SignedCheckpoint | None, *, mark: str, decision: bool) -> Job:
    """The job as it is sent. `signed`: the checkpoint over what was drawn, None while the log is stopped."""
    if isinstance(job, ViewUpdate | Published | Dropped):
        return job
    if isinstance(job, NewMessage):
        job = replace(job, mark=mark)
    said = marked_once(job.message, scene)
    if signed is None:
        return replace(job, message=unsigned(said))
    if isinstance(job, Reply):
        return replace(job, message=said)
    shows = digest(job.message, decision)
    return replace(job, message=with_checkpoint(said, signed) if decision else said, digest=shows)

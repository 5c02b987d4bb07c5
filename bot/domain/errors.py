"""One tree of errors. The text of an error is what a person reads: it says what is wrong and what to do next.

`Refused` is an answer, not a fault: rules return `policy`-shaped values of their own (see `rights`). Exceptions are
for what stops an act altogether.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


class CountersignError(Exception):
    """Something that Countersign can explain to a person."""


class FatalError(CountersignError):
    """The program cannot continue; the command line prints the sentence and exits 2."""


class SettingsError(FatalError):
    """A setting is missing or malformed."""


class SlackRefused(FatalError):
    """Slack refuses a token of ours or cannot be reached; the command line prints the sentence and exits 1."""


class PolicyError(FatalError):
    """The policy files are refused as a whole; the findings say where and why."""


class TextFileError(CountersignError):
    """A file that a person handed in cannot be read as text; `line` from 1."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


class SchemaError(FatalError):
    """The database is of another version than this program."""


class StorageError(CountersignError):
    """The database could not do it (full, locked, damaged, closed); nothing was written."""


class DiskRefuses(StorageError):
    """The disk takes no write (full, read-only, broken); nothing was written, and nothing will be until it does."""


class NotLeading(StorageError):
    """Another replica leads: this one takes in and acknowledges, and judges nothing."""


class Reconnected(StorageError):
    """The connection was lost and opened again before anybody noticed: other replicas, which noticed, are heard before anything is
    given. Nothing was written."""


class LogDamaged(StorageError):
    """A part of the stored tree is missing; run `countersign log verify`."""


class IllegalMove(CountersignError):
    """A state machine was asked for a move that its table does not have."""


class Stale(CountersignError):
    """Somebody changed the case between reading and writing; read again and judge again."""


class WokenEnough(Stale):
    """The requester has woken enough people of the domain; judge again, without pages. Nothing was written.

    `moments`: when they did, oldest first; `braked`: how often since then nobody was paged any more."""

    def __init__(self, moments: Sequence[datetime], braked: int) -> None:
        super().__init__("The requester has woken enough people of this domain for now.")
        self.moments, self.braked = tuple(moments), braked


class TooLate(CountersignError):
    """The deadline passed before the transaction began; judge again at the present moment."""


class Frozen(CountersignError):
    """The clock jumped and no operator has accepted it, so nothing is given; nothing was written."""


class Stopped(CountersignError):
    """The decision log is stopped, so nothing is given and no entry is made; nothing was written."""


class EntryError(CountersignError):
    """A value cannot be written into the decision log; nothing was written."""


class NoteError(CountersignError):
    """A signed note, checkpoint or verifier key is malformed, or its signature does not hold."""


class KeyFileError(FatalError):
    """A private key in STATE_DIR is missing, readable by others, or no Ed25519 key."""


class NotDone(CountersignError):
    """What two people confirmed cannot be done any more; nothing was changed."""


class NotYet(CountersignError):
    """What two people confirmed has to wait for something; it is tried again."""


class LookupFailed(CountersignError):
    """Slack did not say who somebody is; press again."""

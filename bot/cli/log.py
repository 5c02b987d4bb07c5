"""`countersign log …`: reads and verifies the decision log on the host, and verifies exports anywhere.

`verify` and `export` first check every byte; an inconsistent log exports only its findings. Exit codes: 0 yes,
1 a finding, 2 wrong use. Source: decision-log.md.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from bot.cli import operator
from bot.cli.anchor import anchor
from bot.cli.errors import refused
from bot.cli.log_export.command import export
from bot.cli.log_export.database import existing
from bot.clock import SystemClock
from bot.decision_log.keys import vkey_lines
from bot.domain.decision_log.signed_note import VerifierKey, read_vkeys
from bot.domain.errors import NoteError, TextFileError
from bot.domain.policy.handed_in import file_text
from bot.ports.database import Location
from bot.settings import Settings, load
from bot.terminal import say, say_json, working

if TYPE_CHECKING:
    from bot.domain.decision_log.verify.log import LogFinding
    from storage.log.check import LogCheck
    from storage.sql_store import SqlStore

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, help="The decision log.")
operator.add_to(app)
app.command()(export)
app.command()(anchor)
_NEXT = (
    "Next: change nothing. Copy the database and COUNTERSIGN_STATE_DIR for whoever looks into it, and compare with a checkpoint or an"
    " export that was kept elsewhere (countersign log consistency)."
)
_NEXT_LOST = (
    "Next: set COUNTERSIGN_STATE_DIR to the folder that signed this log, or restore the newest backup. If entries are lost for good:"
    " countersign log new-epoch --reason TEXT, which two people confirm."
)
_NEXT_EXPORT = (
    "Next: do not rely on this export. Have it made anew, and compare both with a checkpoint that was kept elsewhere."
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def verify(
    database: Annotated[Path | None, typer.Option(help="Another database file than the configured one.")] = None,
    export: Annotated[Path | None, typer.Option(help="Check an export instead, from its files alone.")] = None,
    vkey: Annotated[Path | None, typer.Option(help="The verifier keys that you got elsewhere, one a line.")] = None,
    policy_root: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="The first policy set with passkeys, as you know it from elsewhere."),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Only what came after the last check of the whole log.")] = False,
    as_json: Json = False,
) -> None:
    """Check every entry of the log; exit 1 names each finding."""
    if policy_root is not None and not re.fullmatch("[0-9a-f]{64}", policy_root):
        raise typer.BadParameter("A policy set's digest has 64 hexadecimal digits.", param_hint="--policy-root")
    if export is not None:
        _verify_export(export, vkey, policy_root, as_json=as_json)
    from bot.evidence.stored_log import verified_log
    from bot.runtime.log_verification import TrustBase, entries_of, verify_newest

    settings = load()
    path = existing(database or settings.database)
    ours = database is None or _same(database, settings.database)  # the signer's memory is of this database only
    keys = None if vkey is None else _keys(vkey)
    with working("Checking every entry of the log", entries_of(path), after=0.5) as step:
        trust = TrustBase(keys, settings.state_dir, remembers=ours, progress=step)
        newest = verify_newest(path, trust) if new else None
        if newest is not None:
            _end_newest(*newest, as_json=as_json)
        report, judged = verified_log(path, trust, policy_root)
    findings = [*report.findings, *judged.findings]
    _print(findings, as_json=as_json)
    if not as_json:
        say(_verdict(f"{report.size} entries", findings, _NEXT))
        _say_of_keys(judged.unproven, has_keys=judged.has_keys, pinned=policy_root is not None)
    raise typer.Exit(1 if findings else 0)


@app.command("checkpoint")
def checkpoint() -> None:
    """Print the newest signed note, after signing what is not signed yet."""
    from bot.domain.decision_log.verify.log import LogFinding
    from bot.runtime.open_log import cover

    settings = load()
    existing(settings.database)
    signed = asyncio.run(cover(settings))
    if isinstance(signed, LogFinding):
        refused(f"{signed.code}: {signed.text}")
    say(signed.note, end="")


@app.command("prove")
def prove(index: Annotated[int, typer.Argument(metavar="IDX", min=0, help="The entry's index.")]) -> None:
    """Print the proof that an entry is in the signed log (C2SP tlog-proof), with the entry's bytes in its `extra` line."""
    from bot.domain.decision_log.verify.log import LogFinding
    from bot.runtime.log_proofs import prove as proven

    settings = load()
    existing(settings.database)
    found = asyncio.run(proven(settings, index))
    if isinstance(found, LogFinding):
        refused(f"{found.code}: {found.text}")
    say(found, end="")


@app.command("consistency")
def consistency(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A stored checkpoint's size, or a file with a signed note.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same.")],
    vkey: Annotated[Path | None, typer.Option(help="The verifier keys that you got elsewhere, one a line.")] = None,
    as_json: Json = False,
) -> None:
    """Check both signatures, and that NEW extends OLD."""
    from bot.domain.decision_log.verify.log import LogFinding
    from bot.runtime.log_proofs import extended

    settings = load()
    existing(settings.database)
    found = asyncio.run(extended(settings, old, new, None if vkey is None else _keys(vkey)))
    if isinstance(found, LogFinding):
        refused(f"{found.code}: {found.text}")
    if as_json:
        path = [base64.b64encode(step).decode() for step in found.path]
        say_json({"old": found.old.size, "new": found.new.size, "path": path})
    else:
        say(f"The checkpoint of {found.new.size} entries extends the one of {found.old.size}; both signatures hold.")


@app.command("rotate-key")
def rotate_key() -> None:
    """Sign with a new key from now on; the checkpoint of the change is signed by both."""
    from bot.domain.decision_log.verify.log import LogFinding
    from bot.runtime.key_rotation import rotate

    settings = load()
    existing(settings.database)
    found = asyncio.run(rotate(settings))
    if isinstance(found, LogFinding):
        refused(f"{found.code}: {found.text}")
    say(f"The log is signed with {found.new} from now on; it was {found.old}. Give auditors the lines of `log vkey` again.")


@app.command("vkey")
def vkey() -> None:
    """Print the log's verifier keys, one a line, the one that signs now first."""
    settings = load()
    head = _reading(lambda store: store.log.head(), settings)
    say(vkey_lines(settings.state_dir, head.origin), end="")


def _reading(ask: Callable[[SqlStore], Awaitable[T]], settings: Settings | None = None) -> T:
    """Runs a query on the configured database, beside a running bot."""

    from storage.opening import open_database

    path = existing((settings or load()).database)

    async def work() -> T:
        store = await open_database(path, SystemClock(), read_only=True)
        try:
            return await ask(store)
        finally:
            await store.close()

    return asyncio.run(work())


def _same(given: Path, configured: Location) -> bool:
    return isinstance(configured, Path) and given.absolute() == configured.absolute()


def _say_of_keys(unproven: int, *, has_keys: bool, pinned: bool) -> None:
    """Whose word the keys are that decisions are signed with, and what could not be proven."""
    if has_keys and not pinned:
        say(
            "Nobody pinned the first policy with passkeys, so they are the exporter's own word: give --policy-root with its digest."
        )
    if unproven:
        say(f"{_count(unproven, 'signed decision')} unproven: the signature, or the signer's name, was erased.")


def _end_newest(report: LogCheck, covered: int, *, as_json: bool) -> NoReturn:
    """Says what was not read again; what newer entries have wrong only the whole check tells."""
    if not as_json:
        say(_verdict(f"{report.size - covered} entries after the last check", (), ""))
        say(f"The first {covered} were verified before and not read again, nor was policy judged: `log verify` does both.")
    raise typer.Exit(0)


def _verify_export(folder: Path, vkey: Path | None, policy_root: str | None, *, as_json: bool) -> None:
    from bot.evidence.check import check_export
    from bot.evidence.files import Export
    from bot.reports.pack_check import check_pack, is_pack

    export, keys = Export(folder), None if vkey is None else _text(vkey)
    pack = is_pack(export)
    checked = check_pack(export, keys) if pack else check_export(folder, keys, policy_root=policy_root)
    _print(checked.findings, as_json=as_json)
    if not as_json:
        what = f"{checked.size} entries" if checked.selected is None else f"{checked.selected} of {checked.size} entries"
        what = f"evidence pack of a log of {checked.size} entries" if pack else what
        say(_verdict(what, checked.findings, _NEXT_EXPORT))
        say(f"Log: {checked.origin or 'none'}")
        if checked.own_key:
            say("The export's own key was used: give --vkey with the key that you got elsewhere.")
        _say_of_keys(checked.unproven_signatures, has_keys=checked.has_keys, pinned=policy_root is not None)
        if checked.unproven:
            say(f"{_count(checked.unproven, 'decision')} of people whose names were erased: judged by pseudonym only.")
        if checked.strangers:
            say(f"No part of an export, and not read: {_some(checked.strangers)}.")
        if checked.strays:
            say(f"{_count(len(checked.strays), 'file')} of a file manager or editor, not read: {_some(checked.strays)}.")
        if checked.unknown_types:
            say(f"Types that this program does not know: {', '.join(checked.unknown_types)}.")
    raise typer.Exit(1 if checked.findings else 0)


def _verdict(what: str, findings: Sequence[LogFinding], following: str) -> str:
    """The lines that end a check: the verdict, and after problems what to do next."""
    if not findings:
        return f"OK: {what} verified, no problems found"
    lost = all(finding.code == "rollback" for finding in findings)
    return f"FAILED: {what} checked, {_count(len(findings), 'problem')} found\n{_NEXT_LOST if lost else following}"


def _print(findings: Iterable[LogFinding], *, as_json: bool) -> None:
    for finding in findings:
        say_json({"code": finding.code, "idx": finding.idx, "text": finding.text}) if as_json else say(finding)


def _keys(path: Path) -> tuple[VerifierKey, ...]:
    if not path.is_file():
        said = f"{path} is no file. Put the key's line into one: countersign log vkey > FILE"
        raise typer.BadParameter(said, param_hint="--vkey")
    try:
        return read_vkeys(_text(path))
    except NoteError as error:
        raise typer.BadParameter(f"{path}: {error}", param_hint="--vkey") from None


def _text(path: Path) -> str:
    try:
        return file_text(path.read_bytes())
    except (OSError, TextFileError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from None


def _some(names: Sequence[str]) -> str:
    """The first five, in ASCII: names of files are hostile text."""
    return ", ".join(ascii(name)[1:-1] for name in names[:5]) + (", …" if len(names) > 5 else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

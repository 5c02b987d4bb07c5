"""`countersign permit …`: issues a permit on the host, and verifies one anywhere.

`verify` needs no bot, no database and no network: a PAM's hook runs it. Anything missing, malformed or unknown is refused. Exit codes: 0 accepted, 1 refused, 2 wrong use. Source: decision-log.md, "Permit".
"""

from __future__ import annotations

import asyncio
import json
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from bot.cli.errors import misused, refused
from bot.clock import SystemClock, read_request_id
from bot.domain.case.click import Rejected
from bot.domain.case.transition import OPERATOR
from bot.domain.errors import NoteError, PolicyError, TextFileError
from bot.domain.policy.handed_in import file_text
from bot.domain.policy.trusted_address import trusted
from bot.domain.workflow.permit import Wanted
from bot.settings import load
from bot.terminal import say, say_json

if TYPE_CHECKING:
    from bot.domain.decision_log.signed_note import VerifierKey
    from bot.service.permits import Permit

FETCH_SECONDS, FETCH_MAX = 10, 65_536
app = typer.Typer(no_args_is_help=True, help="Permits: what the requester's tool shows to the system that lets them in.")
Id = Annotated[str, typer.Argument(metavar="ID", help="R- and eight characters; case and dashes do not matter.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command("issue")
def issue(
    request: Id,
    out: Annotated[
        Path | None, typer.Option(help="Write permit.jwt, permit.tlog-proof and target.disclosure into this folder.")
    ] = None,
) -> None:
    """Print a permit for a request whose grant is open; it holds for five minutes at most."""
    case_id = read_request_id(request)
    if case_id is None:
        misused(f"{request!r} is no request id; one looks like R-7K3M9QX2.")
    if out is not None:
        _writable(out)
    from bot.decision_log.keys import replace_file

    permit, proof = asyncio.run(_issued(case_id))
    if out is None:
        say(permit.token)
        return
    for name, content in (
        ("permit.jwt", permit.token.encode()),
        ("permit.tlog-proof", proof),
        ("target.disclosure", permit.disclosure.encode()),
    ):
        replace_file(out / name, content)
        say(out / name)


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The permit; - reads it from standard input.")],
    aud: Annotated[str, typer.Option(metavar="NAME", help="The system that you are.", show_default=False)],
    runbook: Annotated[str | None, typer.Option(metavar="ID", help="The runbook it must be for.")] = None,
    jwks: Annotated[
        str | None, typer.Option(metavar="FILE_OR_URL", help="The issuer's keys; default: those in COUNTERSIGN_STATE_DIR.")
    ] = None,
    proof: Annotated[Path | None, typer.Option(help="The tlog-proof that it stands in the log; needs --vkey.")] = None,
    vkey: Annotated[Path | None, typer.Option(help="The log's verifier keys, one a line, got from elsewhere.")] = None,
    seen: Annotated[
        Path | None, typer.Option(help="Permits used so far; a second use is refused, a first one noted.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge a permit, offline."""
    from bot.service.permit_check import PermitAccepted, PermitRequirements, check, read_keys

    if (proof is None) != (vkey is None):
        misused("--proof and --vkey belong together: a proof without the log's key proves nothing.")
    keys = read_keys(_jwks(jwks))
    vkeys = _vkeys(vkey) if vkey is not None else ()
    demands = PermitRequirements(Wanted(aud, runbook), keys, None if proof is None else _text(proof), vkeys, seen)
    judged = check(_text(file), demands, SystemClock().now())
    if not isinstance(judged, PermitAccepted):
        refused(f"Refused. {judged.reason}")
    claims = judged.claims
    if as_json:
        say_json(dict(claims))
        return
    say(f"Accepted: {json.dumps(claims['sub'])} under {json.dumps(claims['txn'])}.")
    if proof is None:
        say("Whether it stands in the log was not asked: give --proof and --vkey.")


@app.command("rotate-key")
def rotate_key() -> None:
    """Sign with a new key from now on; the old one's public half stays in the JWKS for a day."""
    from bot.decision_log.permit_keys import rotate

    kid = rotate(load().state_dir, SystemClock().now())
    say(f"Permits are signed with {kid} from now on. The key before stays in /.well-known/jwks.json for a day.")


async def _issued(case_id: str) -> tuple[Permit, bytes]:
    from bot.cli.host_store import accepted_policy, opened_store
    from bot.decision_log.signer import signer_of
    from bot.service.permits import PermitIssuer
    from storage.sqlite.lock import FileLock

    state_dir = load().state_dir
    async with opened_store(read_only=False) as store:
        policy = await accepted_policy(store)
        if policy is None:
            raise PolicyError("The database holds no policy that this version can read. Start the bot once.")
        issuer = PermitIssuer(store, signer_of(store.log, state_dir, FileLock(state_dir)).cover, state_dir, SystemClock())
        permit = await issuer.issue(case_id, policy, OPERATOR)
        if isinstance(permit, Rejected):
            refused(_why(permit, case_id))
        return permit, await issuer.proof(permit.index)


def _why(no: Rejected, case_id: str) -> str:
    sentences = {
        "unknown": f"There is no request {case_id}. See: countersign requests list --all",
        "no_grant": f"{case_id} has no grant: nothing was approved.",
        "ended": f"The grant of {case_id} has ended; no permit is given.",
        "over": f"The time of {case_id} is over; no permit is given.",
    }
    return sentences.get(no.sentence) or str(no.params.get("text", "No permit is given."))


def _writable(out: Path) -> None:
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = out / ".countersign"
        probe.touch()
        probe.unlink()
    except OSError as error:
        misused(f"--out {out} cannot be written: {error.strerror}.")


def _jwks(where: str | None) -> str:
    if where is None:
        from bot.decision_log.permit_keys import jwks

        return json.dumps(jwks(load().state_dir, SystemClock().now()))
    if "://" not in where:
        return _text(Path(where))
    if not trusted(where):
        misused("--jwks takes https:// only: keys that came over plain HTTP may be anybody's.")
    return asyncio.run(_fetched(where))


async def _fetched(url: str) -> str:
    from bot.http.client import CallFailed, HttpClient, Limits

    try:
        async with HttpClient() as http:
            answer = await http.get(url, Limits(FETCH_SECONDS, FETCH_MAX))
    except CallFailed as error:
        misused(f"The keys at {_shown(url)} cannot be fetched: {error}.")
    if answer.status != HTTPStatus.OK:
        misused(f"The keys at {_shown(url)} cannot be fetched: {answer.status}.")
    return answer.body.decode(errors="replace")


def _shown(url: str) -> str:
    """An address without user, password and query, which may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _vkeys(path: Path) -> tuple[VerifierKey, ...]:
    from bot.domain.decision_log.signed_note import read_vkeys

    try:
        return read_vkeys(_text(path))
    except NoteError as error:
        misused(f"{path}: {error}")


def _text(path: Path) -> str:
    try:
        return file_text(sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes())
    except OSError as error:
        misused(f"{path} cannot be read: {error.strerror}.")
    except TextFileError as error:
        misused(f"{path} cannot be read: {error}")

"""`countersign passkey …`: enrols a passkey for somebody whom the policy names, shows those that it names, and tries one."""

from __future__ import annotations

import asyncio
import base64
from datetime import datetime
from typing import Annotated, Any

import typer

from bot.cli.errors import misused, refused
from bot.cli.host_store import opened_store
from bot.cli.signing import key_dates
from bot.clock import SystemClock
from bot.domain.policy.model import NamedPerson, Policy
from bot.domain.policy.signing import Signing
from bot.terminal import say, say_json, say_table

app = typer.Typer(no_args_is_help=True, help="Passkeys that sign decisions.")
Label = Annotated[str, typer.Argument(metavar="PERSON", help="A label of `people:` in the responsibility matrix.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
_LOOK = 0.2
_COLUMNS = ("Person", "Passkey", "Kind", "Relying party", "Counts", "Words to read out")


@app.command("enrol")
def enrol(person: Label) -> None:
    """Print an address and a code, wait while the person makes a passkey there, and print its line for the policy."""
    done = asyncio.run(_opened(person, "enrol"))
    say(f"Made. Add this line to `passkeys:` of {person}, and read the words out to whoever reviews the change:\n")
    say(f"      {done['line']}\n\n{done['words']}")


@app.command("test")
def test(person: Label) -> None:
    """Print an address and a code, and say whether the person's passkey signs there as it must."""
    done = asyncio.run(_opened(person, "test"))
    say(f"{person}'s passkey works: {done['words']}")


@app.command("show")
def show(person: Annotated[str | None, typer.Argument(metavar="PERSON")] = None, as_json: Json = False) -> None:
    """Print the passkeys that the policy names: whose, label, words, whether they are synced, and since when they count."""
    from bot.decision_log.enrolment import words

    policy, _ = _policy()
    people = policy.people if person is None else (_named(policy, person),)
    sets, now = asyncio.run(_accepted()), SystemClock().now()
    rows: list[dict[str, Any]] = [
        {
            "person": named.label, "id": key.id, "label": key.label, "rp": key.rp, "synced": key.synced,
            "attested": key.attested,
            "words": words(str(named.person), key.rp, key.id, key.spki),
            **key_dates.as_json(since := key_dates.counts_from(sets, named.person, key)), "said": key_dates.said(since, now),
        }
        for named in people
        for key in named.passkeys
    ]  # fmt: skip
    if as_json:
        say_json([{name: value for name, value in row.items() if name != "said"} for row in rows])
        return
    none = "The policy names no passkey." if person is None else f"The policy names no passkey of {person}."
    cells = [
        (row["person"], row["label"] or "without a label",
         ("synced" if row["synced"] else "on one device") + (", attested" if row["attested"] else ""), row["rp"], row["said"], row["words"])
        for row in rows
    ]  # fmt: skip
    plain = "\n".join(f"{who}: {', '.join(told)}\n  {said}" for who, *told, said in cells)
    say_table(_COLUMNS, cells, plain or none, {})


async def _accepted() -> tuple[key_dates.Accepted, ...]:
    """What the bot has accepted so far; nothing where it never ran."""
    from bot.ports.database import may_exist
    from bot.settings import load

    if not may_exist(load().database):
        return ()
    async with opened_store(read_only=True) as store:
        return await key_dates.accepted(store)


def _policy() -> tuple[Policy, Signing]:
    from bot.settings import load
    from runbooks.loader import load as load_policy

    settings = load()
    policy = load_policy(settings.runbooks_dir).policy
    if policy is None:
        refused(f"The policy in {settings.runbooks_dir} has errors: run `countersign check`.")
    if policy.signing is None:
        misused("The policy has no `signing`: add `signing: {rp_id: …, origin: …}` to responsibility.yaml first.")
    return policy, policy.signing


def _named(policy: Policy, label: str) -> NamedPerson:
    found = next((one for one in policy.people if one.label == label), None)
    if found is None:
        misused(f"`people:` has no {label}. It names: {', '.join(one.label for one in policy.people)}.")
    if policy.provider_of(found.person) is not None:
        misused(f"{label} belongs to a provider, and a provider never decides.")
    return found


def _roots(policy: Policy, signing: Signing) -> tuple[str, ...]:
    """The roots that a new passkey must chain to, as PEM texts; none where the policy names none."""
    from bot.decision_log.passkeys import root_certificates

    if signing.attestation is None:
        return ()
    file = next((file for file in policy.files if file.path == signing.attestation), None)
    if file is None:
        refused(f"The policy's roots {signing.attestation} are missing: add the file to the policy folder first.")
    return tuple(one.decode() for one in root_certificates(file.content))


async def _opened(label: str, kind: Any) -> dict[str, Any]:
    """Opens an address for ten minutes and waits for what comes of it."""
    from bot.decision_log.enrolment import OPEN, Rendezvous, Wanted
    from bot.domain.signing.assertion import to_base64url
    from bot.settings import load

    (policy, signing), clock, settings = _policy(), SystemClock(), load()
    named = _named(policy, label)
    if kind == "test" and not named.passkeys:
        misused(f"The policy names no passkey of {label}: run `countersign passkey enrol {label}` first.")
    token, code = to_base64url(clock.salt()), f"{int.from_bytes(clock.salt()) % 1_000_000:06d}"
    keys = tuple(
        {"id": key.id, "spki": base64.b64encode(key.spki).decode(), "rp": key.rp, "synced": key.synced}
        for key in named.passkeys
    )
    end, place = clock.now() + OPEN, Rendezvous(settings.state_dir)
    place.open(
        token, code,
        Wanted(
            kind, label, str(named.person), named.name, signing.rp_id, signing.origin, keys, clock.salt(), end,
            _roots(policy, signing) if kind == "enrol" else (),
        ),
    )  # fmt: skip
    say(
        f"Open once, within ten minutes, on the device of {named.name}. Hand it over in person or by telephone, not by Slack:\n"
    )
    say(f"  {signing.origin}/e#{token}\n\nCode: {code}\n")
    try:
        return await _awaited(place, token, signing, settings.sign_listen, clock, end)
    finally:
        place.close(token)


async def _awaited(
    place: Any, token: str, signing: Signing, listen: str, clock: SystemClock, end: datetime
) -> dict[str, Any]:
    """Serves the page where no bot does, and looks for the result."""
    from bot.background.sign_page import enrolment_calls
    from bot.domain.errors import SettingsError
    from bot.http.sign_server import SignServer

    server: SignServer | None = SignServer(enrolment_calls(place, clock), lambda: signing.origin, listen=listen)
    try:
        assert server is not None
        await server.start()
    except SettingsError:
        server = None  # the running bot serves it
    try:
        while (found := place.result(token)) is None:
            if clock.now() >= end:
                refused("Nobody came within ten minutes. Run the command again.")
            await asyncio.sleep(_LOOK)
        if server is not None:
            await asyncio.sleep(_LOOK)  # the page still reads its answer
        return dict(found)
    finally:
        if server is not None:
            await server.stop()

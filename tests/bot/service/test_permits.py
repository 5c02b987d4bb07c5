"""Permits over a real, signed log: what they say, who accepts them, when there is none."""

from __future__ import annotations

import base64
import hashlib
import json
import warnings
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from bot.decision_log.keys import LOG_KEY, make_keys, read_key
from bot.decision_log.permit_keys import jwks, permit_key, rotate
from bot.domain.decision_log.entry import stamp
from bot.domain.decision_log.signed_note import read_vkey
from bot.domain.workflow.permit import Wanted
from bot.service.permit_check import PermitAccepted, PermitRejected, PermitRequirements, check, read_keys
from bot.service.permits import signed
from tests.bot.building import HOUR, MINUTE, OWNER, PE1, SHA, policy
from tests.bot.office import HandClock
from tests.bot.permitting import SignedOffice
from tests.database import connect

SECOND = timedelta(seconds=1)
PINNED = (
    "eyJ0eXAiOiJjb3VudGVyc2lnbi1wZXJtaXQrand0IiwiYWxnIjoiRWREU0EiLCJraWQiOiJrUHJLX3FteFZXYVlWQTl3d0JGNkl1bzN2Vnp6N1R4SENUd1hCeWdyUzRrIn0"
    ".eyJhdWQiOiJwYW0ifQ"
    ".hUB9iN9bkdzC-z-5dLQYVcq1eX5jM0y-mwSgcKpFFYKDqXMDrgW9tmMpZQbJ9TjumFDmOjXfJxdWOLUDbVmtBg"
)


class JumpyClock(HandClock):
    """Doubts itself on request."""

    jump: timedelta | None = None

    def jumped(self) -> timedelta | None:
        return self.jump


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[SignedOffice]:
    async with SignedOffice(tmp_path / "countersign.db", policy(), JumpyClock()) as opened:
        yield opened


def claims_of(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return read


def demands(office: SignedOffice, audience: str = "emergency", **more: Any) -> PermitRequirements:
    runbook = more.pop("runbook", None)
    return PermitRequirements(
        Wanted(audience, runbook), read_keys(json.dumps(jwks(office.state, office.clock.now()))), **more
    )


def judged(office: SignedOffice, token: str, **how: Any) -> str:
    """The empty string, or why it is refused."""
    found = check(token, demands(office, **how), office.clock.now())
    return "" if isinstance(found, PermitAccepted) else found.reason


async def test_the_claims_are_these_and_no_others(office: SignedOffice) -> None:
    case_id = await office.approved(target="srv-7")
    permit = await office.permit(case_id)
    entries = office.log(case_id)
    issued, [yes] = entries[-1], [e for e in entries if e["type"] == "request.approved"]
    [(ref,)] = office.rows("SELECT ref FROM person WHERE user_id = 'U0OWNER'")
    now = int(office.clock.at.timestamp())
    [(leaf,)] = office.rows("SELECT leaf FROM log_entry WHERE idx = :i", i=issued["i"])
    assert claims_of(permit.token) == {
        "iss": "test.example/log", "sub": str(PE1), "aud": "emergency", "iat": now, "exp": now + 300,
        "jti": issued["data"]["jti"], "txn": case_id, "basis": "approval",
        "authorization_details": [{
            "type": "urn:countersign:runbook:v1", "runbook": {"id": "emergency", "sha256": SHA},
            "target": base64.urlsafe_b64encode(hashlib.sha256(permit.disclosure.encode()).digest()).decode().rstrip("="),
            "max_seconds": 3600, "approvals": [{"index": yes["i"], "ref": ref}],
        }],
        "tlog": {"origin": "test.example/log", "index": issued["i"], "leaf": leaf.hex()},
    }  # fmt: skip
    assert issued["type"] == "permit.issued"
    assert issued["data"] == {"jti": issued["data"]["jti"], "aud": "emergency", "exp": stamp(office.clock.at + 5 * MINUTE)}
    head = json.loads(base64.urlsafe_b64decode(permit.token.split(".")[0] + "=="))
    assert head == {"alg": "EdDSA", "typ": "countersign-permit+jwt", "kid": permit_key(office.state).thumbprint()}
    assert json.loads(base64.urlsafe_b64decode(permit.disclosure + "=="))[1:] == ["target", "srv-7"]


def test_the_bytes_of_a_permit_are_pinned(tmp_path: Path) -> None:
    key = tmp_path / "permit.key"
    key.write_text(
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n"
    )
    key.chmod(0o600)  # the key of RFC 8037, appendix A.1, and its thumbprint of A.3
    found = permit_key(tmp_path)
    assert found.thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert signed({"aud": "pam"}, found) == PINNED


async def test_pyjwt_and_joserfc_accept_it_offline(office: SignedOffice) -> None:
    permit = await office.permit(await office.approved())
    keys = jwks(office.state, office.clock.now())
    [key] = pyjwt.PyJWKSet.from_dict(keys).keys
    unclocked: Any = {"verify_exp": False, "verify_iat": False}  # the office's clock is in another year
    read = pyjwt.decode_complete(
        permit.token, key.key, algorithms=["EdDSA"], audience="emergency", issuer="test.example/log", options=unclocked
    )
    assert read["header"]["kid"] == key.key_id
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = jwt.decode(permit.token, KeySet.import_key_set(keys), algorithms=["EdDSA"])
    assert other.claims == read["payload"] == claims_of(permit.token)
    with pytest.raises(pyjwt.InvalidAudienceError):
        pyjwt.decode(permit.token, key.key, algorithms=["EdDSA"], audience="other", options=unclocked)


async def test_it_never_holds_beyond_the_grant_and_its_seconds_are_rounded_down(office: SignedOffice) -> None:
    office.clock.at += timedelta(milliseconds=700)
    case_id = await office.approved()
    office.clock.at += HOUR - 90 * SECOND - timedelta(milliseconds=300)
    claims = claims_of((await office.permit(case_id)).token)
    end = (await office.case(case_id)).grant.not_after  # type: ignore[union-attr]
    assert claims["exp"] == int(end.timestamp())
    assert claims["exp"] < end.timestamp()
    office.clock.at = end - timedelta(milliseconds=500)
    assert (await office.refused(case_id)).sentence == "over"


@pytest.mark.parametrize(
    ("runbook", "basis", "yeses"), [("emergency", "approval", 1), ("glass", "break_glass", 0), ("unlock", "autonomous", 0)]
)
async def test_it_says_what_the_grant_rests_on(office: SignedOffice, runbook: str, basis: str, yeses: int) -> None:
    case_id = await office.file(PE1, runbook)
    if yeses:
        await office.click(OWNER, case_id)
    claims = claims_of((await office.permit(case_id)).token)
    assert (claims["basis"], len(claims["authorization_details"][0]["approvals"])) == (basis, yeses)


async def test_none_is_given_before_the_yes_after_the_end_or_for_no_request(office: SignedOffice) -> None:
    case_id = await office.file(PE1)
    assert (await office.refused(case_id)).sentence == "no_grant"
    await office.click(OWNER, case_id)
    await office.permit(case_id)
    await office.click(OWNER, case_id, "revoke")
    assert (await office.refused(case_id)).sentence == "ended"
    assert (await office.refused("R-00000000")).sentence == "unknown"
    lapsing = await office.approved(target="srv-2")
    office.sleep(HOUR)  # nobody looked: the sweeper has not seen the end yet
    assert (await office.refused(lapsing)).sentence == "over"
    assert [t for t in office.types(case_id) + office.types(lapsing) if t == "permit.issued"] == ["permit.issued"]


async def test_none_is_given_for_somebody_whom_the_policy_no_longer_names(office: SignedOffice) -> None:
    case_id = await office.approved()
    northgate = office.policy.providers["northgate"]
    left = replace(northgate, members=northgate.members[1:], requesters=northgate.requesters[1:])
    await office.adopt(replace(office.policy, providers={**office.policy.providers, "northgate": left}))
    assert "no longer names" in str((await office.refused(case_id)).params["text"])


async def test_a_revoke_in_between_wins(office: SignedOffice) -> None:
    case_id = await office.approved()
    commit = office.mortal.commit

    async def revoked_first(act: Any) -> Any:
        office.mortal.commit = commit  # type: ignore[method-assign]
        await office.click(OWNER, case_id, "revoke")
        return await commit(act)

    office.mortal.commit = revoked_first  # type: ignore[method-assign]
    assert (await office.refused(case_id)).sentence == "ended"
    assert "permit.issued" not in office.types(case_id)


async def test_an_end_that_falls_between_judgement_and_commit_wins(office: SignedOffice) -> None:
    case_id = await office.approved()
    commit = office.mortal.commit

    async def slow(act: Any) -> Any:
        office.clock.at += HOUR
        return await commit(act)

    office.mortal.commit = slow  # type: ignore[method-assign]
    assert (await office.refused(case_id)).sentence == "over"
    assert "permit.issued" not in office.types(case_id)


async def test_none_is_given_while_the_clock_is_doubted(office: SignedOffice) -> None:
    case_id = await office.approved()
    office.clock.jump = HOUR  # type: ignore[attr-defined]
    assert "clock" in str((await office.refused(case_id)).params["text"])
    assert "permit.issued" not in office.types(case_id)


async def test_none_is_given_while_the_log_is_not_signed(office: SignedOffice) -> None:
    case_id = await office.approved()
    (office.state / "log.memory").unlink()
    assert "not being signed" in str((await office.refused(case_id)).params["text"])
    assert "permit.issued" not in office.types(case_id)


@pytest.mark.sqlite  # it reads the bytes of the database's file
async def test_the_token_is_in_no_row(office: SignedOffice) -> None:
    case_id = await office.approved()
    permit = await office.permit(case_id)
    with closing(connect(office.path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    stored = b"".join(path.read_bytes() for path in office.path.parent.glob("countersign.db*"))
    assert claims_of(permit.token)["jti"].encode() in stored
    for part in permit.token.split("."):
        assert part.encode() not in stored


class TestChecking:
    async def test_it_is_refused_when_expired_for_another_audience_or_another_runbook(self, office: SignedOffice) -> None:
        token = (await office.permit(await office.approved())).token
        assert judged(office, token, runbook="emergency") == ""
        assert "not for 'vault'" in judged(office, token, audience="vault")
        assert "not for 'other'" in judged(office, token, runbook="other")
        office.clock.at -= 2 * MINUTE
        assert "future" in judged(office, token)
        office.clock.at += 7 * MINUTE
        assert "expired" in judged(office, token)

    async def test_a_second_use_is_refused_and_a_damaged_memory_lets_nobody_in(self, office: SignedOffice) -> None:
        seen = office.path.parent / "seen"
        first, second = [(await office.permit(await office.approved(target=t))).token for t in ("srv-1", "srv-2")]
        assert judged(office, first, audience="other", seen=seen) != ""
        assert judged(office, first, seen=seen) == ""
        assert "used before" in judged(office, first, seen=seen)
        assert judged(office, second, seen=seen) == ""
        seen.write_text(seen.read_text()[:-5])
        with pytest.raises(Exception, match="damaged"):
            judged(office, second, seen=seen)

    async def test_only_its_own_entry_proves_it(self, office: SignedOffice) -> None:
        mine, other = [await office.permit(await office.approved(target=t)) for t in ("srv-1", "srv-2")]
        vkeys = [read_vkey(str(read_key(office.state / LOG_KEY).vkey("test.example/log")))]
        own, foreign = [(await office.issuer.proof(p.index)).decode() for p in (mine, other)]
        assert judged(office, mine.token, proof=own, vkeys=vkeys) == ""
        assert "another entry" in judged(office, mine.token, proof=foreign, vkeys=vkeys)
        assert "no tlog-proof" in judged(office, mine.token, proof="", vkeys=vkeys)
        lines = own.split("\n")
        lines[3] = lines[4]
        assert "does not lead" in judged(office, mine.token, proof="\n".join(lines), vkeys=vkeys)
        strange = [read_vkey(str(read_key(office.state / "permit.key").vkey("test.example/log")))]
        assert "No known key" in judged(office, mine.token, proof=own, vkeys=strange)

    async def test_a_proof_of_an_entry_about_another_permit_is_refused(self, office: SignedOffice) -> None:
        case_id = await office.approved()
        permit = await office.permit(case_id)
        vkeys = [read_vkey(str(read_key(office.state / LOG_KEY).vkey("test.example/log")))]
        own = (await office.issuer.proof(permit.index)).decode()
        for change in ({"jti": "x"}, {"txn": "R-00000000"}, {"exp": claims_of(permit.token)["exp"] - 1}):
            forged = signed(claims_of(permit.token) | change, permit_key(office.state))
            assert "does not tell" in judged(office, forged, proof=own, vkeys=vkeys)

    @pytest.mark.parametrize("change", [
        {"exp": None}, {"exp": 9e9}, {"iat": "now"}, {"exp": True}, {"sub": ""}, {"jti": None}, {"aud": ["emergency"]},
        {"authorization_details": []}, {"authorization_details": [{"type": "x", "runbook": {"id": "emergency"}}]},
        {"authorization_details": None}, {"iss": None}, {"iat": 1},
    ])  # fmt: skip
    async def test_what_is_missing_or_malformed_is_refused(self, office: SignedOffice, change: dict[str, Any]) -> None:
        token = (await office.permit(await office.approved())).token
        forged = signed(claims_of(token) | change, permit_key(office.state))
        assert judged(office, forged) != ""

    async def test_nobody_elses_signature_and_no_other_kind_of_token_is_accepted(self, office: SignedOffice) -> None:
        token = (await office.permit(await office.approved())).token
        keys = demands(office)
        head, body, signature = token.split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"countersign-permit+jwt"}').decode().rstrip("=")
        broken = [f"{none}.{body}.", f"{head}.{body}.{signature[::-1]}", f"{head}.{body}", "", "é", "x" * 20_000]
        broken += [pyjwt.encode(claims_of(token), "k" * 32, "HS256", {"typ": "countersign-permit+jwt"})]
        for text in broken:
            assert isinstance(check(text, keys, office.clock.now()), PermitRejected)
        other = pyjwt.encode(claims_of(token), pyjwt.PyJWK.from_dict(dict(jwk_private(office))).key, "EdDSA")
        assert "not of the type" in judged(office, other)
        (office.state / "permit.key").unlink()
        make_keys(office.state)
        assert "No key" in judged(office, token)


def jwk_private(office: SignedOffice) -> dict[str, Any]:
    return {**permit_key(office.state).as_dict(private=True), "alg": "EdDSA"}


class TestKeys:
    @pytest.mark.usefixtures("no_umask")
    async def test_a_retired_key_is_accepted_for_a_day(self, office: SignedOffice) -> None:
        old = (await office.permit(case_id := await office.approved())).token
        kid = rotate(office.state, office.clock.now())
        new = (await office.permit(case_id)).token
        keys = jwks(office.state, office.clock.now())["keys"]
        assert [len(keys), keys[0]["kid"], keys[0]["use"], keys[0]["alg"]] == [2, kid, "sig", "EdDSA"]
        assert all("d" not in key for key in keys)
        assert [judged(office, old), judged(office, new)] == ["", ""]
        assert len(jwks(office.state, office.clock.now() + timedelta(days=1))["keys"]) == 1
        assert (office.state / "permit.key").stat().st_mode & 0o777 == 0o600

    async def test_a_rotation_killed_half_way_changes_nothing(
        self, office: SignedOffice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kid = permit_key(office.state).thumbprint()
        monkeypatch.setattr("bot.decision_log.permit_keys.new_pem", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rotate(office.state, office.clock.now())
        assert [key["kid"] for key in jwks(office.state, office.clock.now())["keys"]] == [kid]

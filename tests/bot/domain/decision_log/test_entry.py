"""The log's bytes and tree: pinned bytes, known vectors, and a naive RFC 9162 beside ours."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.case.transition import CLOCK, Actor, Disclosed, FileDigest, LogEvent, Private
from bot.domain.decision_log import entry as ledger
from bot.domain.decision_log import merkle_tree
from bot.domain.decision_log.entry import EntryPosition, canonical, introduce, persons_in, pseudonym_of, seal
from bot.domain.decision_log.entry_reader import parsed
from bot.domain.decision_log.merkle_tree import append, edge_sizes, grow, leaf_hash, node_hash, root
from bot.domain.errors import EntryError
from bot.domain.policy.people import Person

OWNER, PE1 = Person("T0HOME", "U0OWNER"), Person("T0PROV", "U0PE1")
REFS = {OWNER: "sub_owner", PE1: "sub_pe1"}
AT = datetime(2026, 3, 4, 9, 0, 0, 125_000, tzinfo=UTC)


def salt() -> bytes:
    return bytes(range(16))


def entry(draft: LogEvent, **how: Any) -> dict[str, Any]:
    place = EntryPosition("test.example/log", 7, AT, **how)
    found: dict[str, Any] = json.loads(seal(draft, place, REFS, (), salt).data)
    return found


# Bytes.


def test_a_sealed_entry_has_exactly_these_bytes() -> None:
    draft = LogEvent(
        "request.denied", Actor("person", OWNER, "home"), "R-1",
        {"role": "owner", "told": (PE1,), "note": Disclosed("answer")},
        on_behalf_of=PE1, runbook=FileDigest("admin", "ab" * 32), policy=FileDigest("Trust", "cd" * 32),
        private=(Private("answer", "no: ☃", OWNER),),
    )  # fmt: skip
    sealed = seal(
        draft, EntryPosition("test.example/log", 7, AT, 2, b"\x11" * 32), REFS, (introduce(PE1, salt())[1],), salt
    )
    text = (
        '{"_sd":["7qZYYQDXGsObsKzRsjpN3JvdpXf_Ck0EcA9efZh1MRo","MXbUNVroZFgl4nj56jgeZMon2WoSKKa2x-qIkt9X5to"],'
        '"_sd_alg":"sha-256","actor":{"kind":"person","party":"home","ref":"sub_owner"},"case":"R-1",'
        f'"case_prev":"{"11" * 32}","case_seq":2,'
        '"data":{"note":"MXbUNVroZFgl4nj56jgeZMon2WoSKKa2x-qIkt9X5to","role":"owner","told":["sub_pe1"]},"i":7,'
        f'"log":"test.example/log","on_behalf_of":"sub_pe1","policy":{{"id":"Trust","sha256":"{"cd" * 32}"}},'
        f'"runbook":{{"id":"admin","sha256":"{"ab" * 32}"}},'
        '"ts":"2026-03-04T09:00:00.125Z","type":"request.denied","v":"1"}'
    )
    assert sealed.data.decode() == text
    assert sealed.leaf.hex() == "9b7d3cabf840cecef3feee24162f2778b7cdc216938d2f99b3a2f1d41f3c33e4"
    answer, mapping = sealed.disclosures
    assert answer.text == "WyJBQUVDQXdRRkJnY0lDUW9MREEwT0R3IiwgImFuc3dlciIsICJubzog4piDIl0"
    assert (mapping.subject, answer.subject) == (PE1, OWNER)


def test_a_disclosure_is_spelt_and_hashed_as_in_rfc_9901() -> None:
    """RFC 9901, 4.2.1 and 4.2.3: the example's text, and its digest."""
    text = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    plain = base64.urlsafe_b64decode(text + "==").decode()
    made = ledger.disclose(Private("family_name", "Möbius", OWNER), salt())
    mine = base64.urlsafe_b64decode(made.text + "=" * (-len(made.text) % 4)).decode()
    assert mine.replace(ledger.b64(salt()), "_26bc4LT-ac6q2KI6cBW5es") == plain
    assert ledger.b64(hashlib.sha256(text.encode()).digest()) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    assert made.digest == ledger.b64(hashlib.sha256(made.text.encode()).digest())


def test_a_pseudonym_is_bound_to_the_disclosure_that_says_who_it_is() -> None:
    """One entry may name several people for the first time: only the binding says which is which."""
    ref, mapping = introduce(PE1, salt())
    assert ref == pseudonym_of(mapping.text) == "sub_52tfqyia24nmhg5qvti3eosn3q"
    assert re.fullmatch("sub_[a-z2-7]{26}", ref)
    assert json.loads(base64.urlsafe_b64decode(mapping.text + "=="))[1:] == ["person", "T0PROV/U0PE1"]
    assert introduce(PE1, bytes(16))[0] != ref


def test_a_reason_with_a_colon_is_not_cut() -> None:
    disclosure = ledger.disclose(Private("reason", "disk: full: very", PE1), salt())
    assert json.loads(base64.urlsafe_b64decode(disclosure.text + "=="))[2] == "disk: full: very"


@given(st.text())
def test_user_text_forges_no_log_line(text: str) -> None:
    sealed = seal(LogEvent("x", CLOCK, data={"name": text}), EntryPosition("o", 0, AT), {}, (), salt)
    assert sealed.data.count(b"\n") == 0
    assert json.loads(sealed.data)["data"]["name"] == text


def test_no_person_is_in_the_bytes() -> None:
    draft = LogEvent("x", Actor("person", OWNER), data={"a": [OWNER, {"b": PE1}], "c": (PE1,)}, on_behalf_of=PE1)
    assert persons_in(draft) == (OWNER, PE1)
    fresh = tuple(introduce(person, salt())[1] for person in (OWNER, PE1))
    data = seal(draft, EntryPosition("o", 0, AT), REFS, fresh, salt).data
    assert not [who for who in (OWNER, PE1) if who.user.encode() in data or who.team.encode() in data]


def test_the_place_in_a_case_is_absent_without_a_case() -> None:
    assert {"case", "case_seq", "case_prev", "data", "_sd", "_sd_alg"}.isdisjoint(entry(LogEvent("x", CLOCK)))
    first = entry(LogEvent("x", CLOCK, "R-1"))
    assert (first["case_seq"], "case_prev" in first) == (0, False)


def test_times_are_utc_with_milliseconds() -> None:
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert entry(LogEvent("x", CLOCK, data={"until": there}))["data"]["until"] == "2026-03-04T09:00:00.125Z"  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "value", [1.0, None, 2**53, -(2**53), b"x", {"ä": 1}, {1: 1}, "\ud83d", [None], {"a": {"b": 0.5}}, ...], ids=repr
)
def test_a_value_without_a_place_in_the_format_is_refused(value: object) -> None:
    with pytest.raises(EntryError):
        entry(LogEvent("x", CLOCK, data={"value": value}))  # type: ignore[dict-item]


@pytest.mark.parametrize("value", [2**53 - 1, -(2**53) + 1, True, "", "☃", [], {}])
def test_a_value_at_the_format_s_edge_is_taken(value: object) -> None:
    assert entry(LogEvent("x", CLOCK, data={"value": value}))["data"]["value"] == value  # type: ignore[dict-item]


def test_an_entry_holds_65535_bytes_and_not_one_more() -> None:
    room = 65_535 - len(canonical({"a": ""}))
    assert len(canonical({"a": "x" * room})) == 65_535
    with pytest.raises(EntryError, match="65536"):
        canonical({"a": "x" * (room + 1)})


def test_a_salt_is_16_bytes() -> None:
    with pytest.raises(EntryError):
        ledger.disclose(Private("reason", "x", PE1), b"short")


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(max_codepoint=127), min_size=1), VALUES))
def test_what_is_written_is_read_back_as_canonical(value: dict[str, Any]) -> None:
    data = canonical(value)
    assert data == rfc8785.dumps(value)
    assert parsed(data) == (value, "")


class Word(StrEnum):
    QUOTED = 'half "a" word\n'


class Number(IntEnum):
    SEVEN = 7


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.floats() | st.text() | st.sampled_from(["\ud83d", "a\udc00"])
    | st.sampled_from([Word.QUOTED, Number.SEVEN, b"x"]),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)
    | st.dictionaries(st.text(max_size=2) | st.sampled_from([1, "\ud83d"]), inner, max_size=3)
    | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=2), inner, max_size=3).map(OrderedDict),
    max_leaves=6,
)  # fmt: skip


def has_a_place(value: object) -> bool:
    """The format's rules once more, as plainly as they can be said (decision-log.md, "Entry")."""
    if isinstance(value, dict):
        return all(isinstance(k, str) and k.isascii() for k in value) and all(map(has_a_place, value.values()))
    if isinstance(value, list | tuple):
        return all(map(has_a_place, value))
    if isinstance(value, str):
        return not any("\ud800" <= c <= "\udfff" for c in value)
    return isinstance(value, int) and abs(value) < 2**53


@given(ANYTHING)
def test_whatever_comes_is_refused_or_written_as_rfc8785_would(value: object) -> None:
    if not has_a_place(value):
        with pytest.raises(EntryError):
            canonical({"a": value})
    else:
        assert canonical({"a": value}) == rfc8785.dumps({"a": value})  # type: ignore[dict-item]


def test_a_key_of_a_derived_type_is_written_as_what_it_says() -> None:
    assert canonical({Word.QUOTED: 1}) == rfc8785.dumps({Word.QUOTED: 1}) == b'{"half \\"a\\" word\\n":1}'


@given(st.dictionaries(st.text(st.characters(max_codepoint=127), min_size=1), VALUES), st.data())
def test_another_spelling_of_the_same_entry_is_not_canonical(value: dict[str, Any], data: st.DataObject) -> None:
    spelt = json.dumps(value, ensure_ascii=data.draw(st.booleans()), indent=data.draw(st.sampled_from([None, 1])))
    _, fault = parsed(spelt.encode())
    assert (fault == "") == (spelt.encode() == rfc8785.dumps(value))


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'"x"', b"{", b'{"a":1,"a":1}', b'{"a":1.0}', b'{"a":1e3}', b'{"a":null}', b'{"a":NaN}', b'{"a":-0}',
     b'{"b":1,"a":1}', b'{"a": 1}', b'{"a":"\\u0041"}', b'{"a":"\\/"}', b'{"a":9007199254740992}', b'{"a":"\xff"}',
     b'{"a":' + b"9" * 40 + b"}", b'{"a":' + b"[" * 9000 + b"]" * 9000 + b"}", b'{"\xc3\xa4":1}', b'\xef\xbb\xbf{}'],
)  # fmt: skip
def test_bytes_that_are_not_the_one_form_are_found(data: bytes) -> None:
    assert parsed(data)[1] != ""


# The tree, beside a naive RFC 9162, 2.1.1.


def naive_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


CT_LEAVES = [bytes.fromhex(h) for h in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(9))
def test_the_vectors_of_certificate_transparency(size: int) -> None:
    """The reference leaves and roots of the RFC 6962 implementations."""
    edge: list[bytes] = []
    for n, leaf in enumerate(CT_LEAVES[:size]):
        edge = append(n, edge, leaf_hash(leaf))
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root(edge).hex() == (CT_ROOTS[size - 1] if size else empty)


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_edge_and_root_are_those_of_the_naive_tree(leaves: list[bytes]) -> None:
    edge: list[bytes] = []
    for size, leaf in enumerate(leaves):
        edge = append(size, edge, leaf_hash(leaf))
        assert len(edge) == len(edge_sizes(size + 1))
    start = 0
    for subtree, width in zip(edge, edge_sizes(len(leaves)), strict=True):
        assert subtree == naive_root(leaves[start : start + width])
        start += width
    assert root(edge) == naive_root(leaves) == merkle_tree.subtree_root([leaf_hash(leaf) for leaf in leaves])


def test_the_stored_nodes_are_the_roots_of_complete_subtrees() -> None:
    leaves = [n.to_bytes(2, "big") for n in range(1025)]
    edge: list[bytes] = []
    found = {}
    for size, leaf in enumerate(leaves):
        edge, nodes = grow(size, edge, leaf_hash(leaf))
        found.update({(node.level, node.i, size): node.hash for node in nodes})
    assert found == {(8, i, 256 * i + 255): naive_root(leaves[256 * i : 256 * i + 256]) for i in range(4)}


def test_a_node_of_every_stored_level_is_made_as_its_subtree_is_complete() -> None:
    size = 2**24 - 1
    edge = [bytes([n]) * 32 for n in range(24)]
    grown, nodes = grow(size, edge, b"\xff" * 32)
    assert [(node.level, node.i) for node in nodes] == [(8, 2**16 - 1), (16, 2**8 - 1), (24, 0)]
    assert grown == [nodes[-1].hash]


def test_leaf_and_node_hashes_never_meet() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)

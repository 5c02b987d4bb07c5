"""Sigstore's own verifier, in JavaScript, accepts our proofs and refuses forged ones (a second foreign tree beside pymerkle)."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

from bot.domain.decision_log.inclusion_proof import inclusion
from bot.domain.decision_log.merkle_tree import leaf_hash, subtree_root
from tests.bot.evidence.test_prepare import Host, host

VERIFIER = Path(__file__).parents[2] / "tools" / "node" / "inclusion.mjs"
__all__ = ["host"]  # a fixture


def judged(proofs: list[dict[str, Any]]) -> list[bool]:
    done = subprocess.run(
        ["node", str(VERIFIER)], input=json.dumps(proofs), capture_output=True, text=True, check=True, timeout=60
    )
    found: list[bool] = json.loads(done.stdout)
    assert len(found) == len(proofs)
    return found


def proof(index: int, size: int) -> dict[str, Any]:
    bodies = [b"entry %d" % n for n in range(size)]
    leaves = [leaf_hash(body) for body in bodies]
    path = inclusion(index, size, lambda level, i: subtree_root(leaves[i << level : (i + 1) << level]))
    return {
        "index": index, "size": size, "root": subtree_root(leaves).hex(), "hashes": [step.hex() for step in path],
        "body": bodies[index].hex(),
    }  # fmt: skip


def flipped(text: str) -> str:
    return f"{int(text[:2], 16) ^ 1:02x}{text[2:]}"


def test_every_proof_of_small_trees_is_accepted() -> None:
    assert all(judged([proof(index, size) for size in range(1, 34) for index in range(size)]))


def test_a_proof_of_another_entry_place_size_root_or_path_is_refused() -> None:
    honest = proof(5, 13)
    forged = [
        honest | {"body": proof(6, 13)["body"]},
        honest | {"index": 4},
        honest | {"size": 8},
        honest | {"root": flipped(honest["root"])},
        honest | {"hashes": honest["hashes"][:-1]},
        *(
            honest | {"hashes": [*honest["hashes"][:n], flipped(step), *honest["hashes"][n + 1 :]]}
            for n, step in enumerate(honest["hashes"])
        ),
    ]
    assert judged([honest, *forged]) == [True] + [False] * len(forged)


def test_what_log_prove_prints_of_a_real_log_is_accepted(host: Host) -> None:
    printed = [read(host.type("prove", str(index)).stdout) for index in (0, 3)]
    assert judged(printed) == [True, True]
    swapped = printed[0] | {"body": printed[1]["body"]}
    assert judged([swapped]) == [False]


def read(text: str) -> dict[str, Any]:
    """A C2SP tlog-proof: `extra`, `index`, the path, an empty line, the checkpoint."""
    head, _, note = text.partition("\n\n")
    first, extra, index, *path = head.split("\n")
    assert first == "c2sp.org/tlog-proof@v1"
    _origin, size, root, *_ = note.split("\n")
    return {
        "index": int(index.removeprefix("index ")), "size": int(size), "root": base64.b64decode(root).hex(),
        "hashes": [base64.b64decode(step).hex() for step in path],
        "body": base64.b64decode(extra.removeprefix("extra ")).hex(),
    }  # fmt: skip

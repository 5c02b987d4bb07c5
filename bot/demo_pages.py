"""Where the demo's pages go: into the sandbox's own inbox.

The example ships without addresses for pages, since nobody else could own them. The demo plays it with one for each
accountable person and one for a rota, in a copy of the folder; the addresses come from the environment as they do in earnest.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.domain.authority.authorization import named_for
from bot.domain.policy.model import Policy

_PERSON = re.compile(r"^(  \w+: \{id: (U\w+), name: [^}]*)\}", re.MULTILINE)
_ROTA = re.compile(r"^  security:\n    source: static\n", re.MULTILINE)
_MATRIX = "responsibility.yaml"
_INCIDENTS = "DEMO_PAGE_SECURITY"


@contextmanager
def with_pages(folder: Path, home: Path, policy: Policy, address: Callable[[str], str]) -> Iterator[Path]:
    """A copy of the policy folder in `home` whose people have an address; `address` makes one for a user's id."""
    copy = home / "runbooks"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__", "py.typed"))
    named = {p.user for domain in policy.domains.values() for p in named_for(policy, domain)}
    text = (copy / _MATRIX).read_text("utf-8")
    text = _PERSON.sub(lambda m: f'{m[1]}, page: "env:{_name(m[2])}"}}' if m[2] in named else m[0], text)
    text = _ROTA.sub(lambda m: f'{m[0]}    page: "env:{_INCIDENTS}"\n', text)
    (copy / _MATRIX).write_text(text, "utf-8")
    ours = {_name(user): address(user) for user in named} | {_INCIDENTS: "pagerduty://on-call"}
    os.environ.update(ours)
    try:
        yield copy
    finally:
        for name in ours:
            os.environ.pop(name, None)


def _name(user: str) -> str:
    return f"DEMO_PAGE_{user}"

"""Finds misspelt settings, which would silently leave the default in force.

Nothing here stops a start. An unknown name with our prefix is always reported; a `SLACK_…` name only if it is close to one of
ours, because other tools keep such names in the same environment: `doctor` reports those, `run` does not. A variable that a
policy file names (`env:NAME`) belongs to the policy and is no mistake. Values are never shown: a malformed line may hold a
token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from bot.domain.errors import TextFileError
from bot.domain.policy.handed_in import file_text
from bot.settings import ENV_FILE, Settings
from runbooks.parsing.folder import read_folder

OURS, SLACKS = "COUNTERSIGN_", "SLACK_"
BESIDE = ("COUNTERSIGN_SECRETS_DIR", "COUNTERSIGN_DEMO_KEYS")  # read by name, not through Settings
OTHERS = frozenset(
    {
        "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_VERIFICATION_TOKEN", "SLACK_STATE_SECRET", "SLACK_APP_ID",
        "SLACK_TEAM_ID", "SLACK_CHANNEL", "SLACK_CHANNEL_ID", "SLACK_WEBHOOK_URL", "SLACK_USER_TOKEN", "SLACK_TOKEN",
        "SLACK_SCOPES", "SLACK_REDIRECT_URI", "SLACK_API_TOKEN", "SLACK_SERVICE_TOKEN", "SLACK_CONFIG_DIR",
    }
)  # fmt: skip
_NEAR = 0.8
_REFERENCE = re.compile(r"\benv:([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Stray:
    """`text` is one sentence. `others`: perhaps meant for another tool, so that only `doctor` reports it."""

    text: str
    others: bool = False


def known() -> frozenset[str]:
    """Every name that is read, as written in an environment."""
    fields = (name.upper() for name in Settings.model_fields)
    return frozenset(name if name.startswith(SLACKS) else OURS + name for name in fields) | frozenset(BESIDE)


def strays(environment: Mapping[str, str], runbooks: Path | None = None, env_file: Path = ENV_FILE) -> tuple[Stray, ...]:
    """The names in the environment and in `.env` that are neither settings nor named by a policy file in `runbooks`.

    Never raises.
    """
    meant = frozenset[str]() if runbooks is None else _named_by_policy(runbooks)
    found = (stray for name in sorted(environment) if (stray := _judged(name, "the environment")) and name not in meant)
    return (*found, *_of_file(env_file, meant))


def _named_by_policy(folder: Path) -> frozenset[str]:
    """The NAMEs of `env:NAME` in the policy files, whether or not these can be accepted."""
    text = (content.decode("utf-8", "replace") for content in read_folder(folder).values())
    return frozenset(name for content in text for name in _REFERENCE.findall(content))


def _of_file(path: Path, meant: frozenset[str]) -> Iterator[Stray]:
    try:
        text = file_text(path.read_bytes()) if path.is_file() else ""
    except (OSError, TextFileError):
        return  # there is none, or `load` reports it
    for binding in parse_stream(StringIO(text)):
        raw = binding.original.string
        line = binding.original.line + len(raw) - len(raw.lstrip("\r\n"))
        if binding.error or (binding.key is not None and binding.value is None):
            yield Stray(f"{path}:{line} is no setting and was left out: write NAME=value, or begin the line with #.")
        elif binding.key is not None and binding.key not in meant:
            stray = _judged(binding.key, f"{path}:{line}", file=True)
            if stray is not None:
                yield stray


def _judged(name: str, where: str, *, file: bool = False) -> Stray | None:
    given, names = name.upper(), known()
    if given in names:
        return None
    near = get_close_matches(given, sorted(names), n=1, cutoff=_NEAR)
    prefixed = given.startswith((OURS, SLACKS))
    if not prefixed and not (file and near):
        return None
    guess = f" Did you mean {near[0]}?" if near else ""
    others = given.startswith(SLACKS) and (given in OTHERS or not near)
    if others:
        return Stray(f"{name} in {where} is no setting of Countersign; it is not read.", others=True)
    return Stray(f"{name} in {where} is no setting and was left out.{guess or ' docs/reference/settings.md lists them.'}")

"""The value of `env:NAME` in a policy file: from the environment, else `.env`, else the secrets directory, like every setting.

Source: design, section 10.
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import MutableMapping
from pathlib import Path

from bot.domain.errors import TextFileError
from bot.domain.policy.handed_in import file_text

ENV_FILE = Path(".env")
_MOST = 100_000  # bytes of one secret


def named_values() -> MutableMapping[str, str]:
    """Values by name; the environment itself comes first, and is read at each look-up. Files that cannot be read name nothing:
    `bot.settings` refuses them."""
    return ChainMap(os.environ, _of_file(ENV_FILE), _of_folder(os.environ.get("COUNTERSIGN_SECRETS_DIR")))


def _of_file(path: Path) -> dict[str, str]:
    from dotenv import dotenv_values

    if not path.is_file():
        return {}
    try:
        file_text(path.read_bytes())
        return {name: value for name, value in dotenv_values(path).items() if value}
    except (OSError, TextFileError):
        return {}


def _of_folder(folder: str | None) -> dict[str, str]:
    if not folder or not Path(folder).is_dir():
        return {}
    found = dict[str, str]()
    for path in Path(folder).iterdir():
        try:
            if path.is_file() and path.stat().st_size < _MOST and (value := file_text(path.read_bytes()).strip()):
                found[path.name] = value
        except (OSError, TextFileError):
            continue
    return found

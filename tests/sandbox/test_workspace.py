"""The configuration is read strictly, and the shipped example is one that works."""

import asyncio
import copy
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import sandbox.driver
from handlers.web_api.manifest import scopes
from sandbox.workspace import ConfigError, Workspace

ROOT = Path(sandbox.driver.__file__).parent
SMALL: dict[str, Any] = {
    "teams": [{"id": "T0", "name": "Home"}],
    "users": [{"id": "U0A", "name": "a", "real_name": "A", "team_id": "T0"}],
    "channels": [{"id": "C0A", "name": "a", "members": ["U0A"]}],
}


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """The small workspace with one thing set."""
    whole = copy.deepcopy(SMALL)
    at: Any = whole
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return whole


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (changed(("users", 0, "is_resticted"), True), "unknown key 'is_resticted'"),
        (changed(("users", 0, "team_id"), "T9"), "team T9, which is not listed"),
        (changed(("channels", 0, "members"), ["U9"]), "member U9, who is not listed"),
        (changed(("teams",), []), "at least one team"),
        (changed(("teams",), SMALL["teams"] * 2), "T0 stands there twice"),
        ({"users": []}, "teams"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused_by_name(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Workspace.from_dict(raw)


def test_the_shipped_example_is_a_valid_workspace() -> None:
    example = json.loads((ROOT / "example.json").read_text(encoding="utf-8"))
    assert Workspace.from_dict(example).app.name == "Example app"


async def test_the_module_runs_alone_and_serves_its_page_on_the_loopback_address() -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, cwd=ROOT.parent)
    assert process.stdout is not None
    try:
        address = (await process.stdout.readline()).decode().split()[1]
        assert address.startswith("http://127.0.0.1:")
        async with aiohttp.ClientSession() as session:
            async with session.get(address) as page:
                await page.read()
            assert page.status == 200
            assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    finally:
        process.terminate()
        await process.communicate()


async def test_a_wrong_configuration_file_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text("{", encoding="utf-8")
    command = [sys.executable, "-m", "sandbox", "--config", str(file)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, cwd=ROOT.parent)
    _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().startswith(str(file))
    assert len(said.decode().strip().splitlines()) == 1


def test_the_example_grants_the_scopes_of_the_manifest_so_that_doctor_has_nothing_to_say() -> None:
    example = json.loads((ROOT / "example.json").read_text(encoding="utf-8"))
    assert sorted(example["app"]["scopes"]) == scopes()

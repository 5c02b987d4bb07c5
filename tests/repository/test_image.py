"""The image's files: not root, read-only, from the lock, with a health check and a list of what is in it; two bots in compose."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import compose_spec
import pytest
from ruamel.yaml import YAML

REPOSITORY = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile, with continued lines joined."""
    text = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def composed() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(REPOSITORY / "compose.yaml")
    return found


def test_the_image_is_not_root_and_says_how_it_is() -> None:
    found = instructions()
    names = [name for name, _ in found]
    last = max(number for number, name in enumerate(names) if name == "FROM")
    user = next(text for name, text in found[last:] if name == "USER")
    assert user.split(":")[0].isdecimal()
    assert int(user.split(":")[0]) > 0
    assert "/healthz" in next(text for name, text in found[last:] if name == "HEALTHCHECK")
    for name, text in found:
        if name == "FROM":
            assert re.search(r":\d", text), f"{text}: no tag, or a floating one"
        assert name not in ("ADD", "MAINTAINER")
        if name in ("CMD", "ENTRYPOINT"):
            assert json.loads(text)


def test_the_image_installs_from_the_lock_and_nothing_else() -> None:
    runs = [text for name, text in instructions() if name == "RUN"]
    assert not [text for text in runs if "pip" in shlex.split(text)]
    script = (REPOSITORY / "tools" / "image").read_text()
    installs = [line for line in script.splitlines() if line.startswith("$pip") and "uninstall" not in line]
    assert all("--require-hashes" in line or "countersign-*.whl" in line for line in installs)
    assert os.access(REPOSITORY / "tools" / "image", os.X_OK)
    lock = (REPOSITORY / "requirements-image.lock").read_text()
    plain = (REPOSITORY / "requirements.lock").read_text()
    pins = dict(re.findall(r"^([a-z0-9.-]+)==([^\s;\\]+)", lock, re.MULTILINE))
    assert dict(re.findall(r"^([a-z0-9.-]+)==([^\s;\\]+)", plain, re.MULTILINE)).items() <= pins.items()
    assert "psycopg" in pins


def test_compose_has_two_bots_with_the_same_keys_and_a_memory_each() -> None:
    services = composed()["services"]
    bots = {name: service for name, service in services.items() if name.startswith("bot-")}
    assert len(bots) == 2
    states = {next(v for v in bot["volumes"] if v.endswith(":/var/lib/countersign")) for bot in bots.values()}
    assert len(states) == 2
    for bot in bots.values():
        assert bot["read_only"] is True
        assert bot["cap_drop"] == ["ALL"]
        assert "keys:/keys:ro" in bot["volumes"]
        assert bot["environment"]["COUNTERSIGN_OPS_LISTEN"].startswith("127.0.0.1")
        assert "postgresql://" in bot["environment"]["COUNTERSIGN_DATABASE_URL"]
        assert bot["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    named = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())}
    assert {name for name in named if not name.startswith(".")} <= set(composed()["volumes"])
    assert "443:443" in services["proxy"]["ports"]
    assert not [name for name in (*bots, "db") if "ports" in services[name]]


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "Dockerfile"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_compose_is_what_its_specification_allows() -> None:
    plain = composed()
    read = compose_spec.PyCompose.from_json(json.dumps(plain))
    read.validate()
    assert set(read.service_names()) == set(plain["services"])
    plain["services"]["bot-a"]["read_onyl"] = True
    with pytest.raises(ValueError, match="read_onyl"):
        compose_spec.PyCompose.from_json(json.dumps(plain))


def test_the_bill_of_materials_lists_what_is_installed_with_the_locks_hashes() -> None:
    done = subprocess.run(
        [sys.executable, "tools/sbom.py", "requirements-image.lock"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    bom = json.loads(done.stdout)
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    parts = {part["name"]: part for part in bom["components"]}
    assert importlib.util.find_spec("slack_bolt") is not None
    for name in ("slack-bolt", "psycopg", "cryptography"):
        part = parts[name]
        assert part["purl"] == f"pkg:pypi/{name}@{part['version']}"
        assert all(re.fullmatch(r"[0-9a-f]{64}", one["content"]) for one in part["hashes"])
        assert part["hashes"]
    assert set(bom["dependencies"][0]["dependsOn"]) == {part["bom-ref"] for part in bom["components"]}

"""Prints what is installed beside this interpreter as a CycloneDX 1.6 bill of materials, with the lock's hashes.

    python tools/sbom.py requirements-image.lock > sbom.cdx.json

The list is the installed packages, not the lock: what the lock names for other systems is not in it.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_TOOLS = {"pip", "setuptools", "wheel"}  # of the virtual environment, and not of the program


def normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(text: str) -> dict[str, list[str]]:
    """The hashes of each pinned package, by its normal name."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if pin := _PIN.match(line):
            name = normal(pin[1])
            found.setdefault(name, [])
        if name:
            found[name] += _HASH.findall(line)
    return found


def component(dist: Distribution, hashes: list[str]) -> dict[str, object]:
    """One package."""
    name, version = normal(dist.metadata["Name"]), dist.version
    said = dist.metadata.get("License-Expression") or dist.metadata.get("License") or ""
    license_ = [{"license": {"name": said.splitlines()[0][:100]}}] if said.strip() else []
    purl = f"pkg:pypi/{name}@{version}"
    sealed = [{"alg": "SHA-256", "content": value} for value in hashes]
    return {
        "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
        **({"licenses": license_} if license_ else {}), **({"hashes": sealed} if sealed else {}),
    }  # fmt: skip


def bom(lock: str) -> dict[str, object]:
    """The whole document."""
    hashes = locked(lock)
    found = {normal(d.metadata["Name"]): d for d in distributions()}
    own = found.pop("countersign", None)
    parts = [component(d, hashes.get(name, [])) for name, d in sorted(found.items()) if name not in _TOOLS]
    version = own.version if own is not None else "unknown"
    about = {"type": "application", "bom-ref": "countersign", "name": "countersign", "version": version}
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": about}, "components": parts,
        "dependencies": [{"ref": "countersign", "dependsOn": [str(part["bom-ref"]) for part in parts]}],
    }  # fmt: skip


def main() -> None:
    print(json.dumps(bom(Path(sys.argv[1]).read_text("utf-8")), indent=1))


if __name__ == "__main__":
    main()

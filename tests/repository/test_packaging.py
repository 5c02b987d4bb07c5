"""What is shipped: the wheel holds everything that the program reads at run time, and nothing names a place."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True, capture_output=True, timeout=100,
    )  # fmt: skip
    return zipfile.ZipFile(next(out.glob("*.whl")))


@pytest.mark.parametrize(
    "name",
    [
        "storage/queries/cases.sql", "storage/sqlite/dialect.sql", "runbooks/responsibility.yaml", "runbooks/directory-admin-emergency.md",
        "runbooks/targets.csv", "sandbox/page/index.html", "sandbox/page/main.js", "bot/domain/authority/authorization.py",
        "handlers/transport/app.py", "bot/evidence/pages/VERIFY.md", "bot/evidence/pages/page.html",
        "bot/evidence/pages/page.css", "bot/evidence/pages/log.js", "bot/evidence/pages/signed.js", "bot/evidence/pages/endorsed.js", "bot/demo/virtual.js", "bot/evidence/pages/view.js", "bot/templates/env.txt", "bot/templates/responsibility.yaml", "bot/templates/directory-emergency-admin.md",
    ],
)  # fmt: skip
def test_the_wheel_holds(wheel: zipfile.ZipFile, name: str) -> None:
    assert name in wheel.namelist()


def test_the_wheel_holds_every_migration(wheel: zipfile.ZipFile) -> None:
    wanted = {f"storage/migrations/{p.name}" for p in (ROOT / "storage" / "migrations").glob("*.sql")}
    assert wanted
    assert wanted <= set(wheel.namelist())


def test_the_wheel_is_never_uploaded_by_accident(wheel: zipfile.ZipFile) -> None:
    metadata = next(n for n in wheel.namelist() if n.endswith("METADATA"))
    assert b"Private :: Do Not Upload" in wheel.read(metadata)


def test_the_locks_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "--index-url" not in text

"""The documentation says what is so: its commands do what they say, its links lead somewhere, its tables are whole."""

import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.cli.lazy import NESTED, loaded
from bot.cli.main import app
from bot.cli.matrix.forms import consent_words
from bot.domain.governance.matrix import Consent, rows
from bot.domain.governance.narrowing import in_words
from bot.domain.policy.governance import Narrowed
from bot.reports import controls, pack, tables
from handlers.web_api.manifest import manifest
from tests.bot.building import policy, runbook

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
NAMES = [page.relative_to(DOCS).as_posix() for page in PAGES]
QUESTIONS = (
    "without make", "package or an image", "upgrade", "back up and restore", "two for availability", "Slack scopes", "bot is down",
    "auditor do in a quarter", "manager do in a month", "onboard or offboard", "matrix as a page",
)  # fmt: skip
# What a command says where it cannot do its work alone: exit code, and the beginning of its sentence.
ALONE = {"countersign run": (2, "SLACK_BOT_TOKEN is not set."), "countersign doctor": (1, "")}


def fences(page: Path, kind: str) -> Iterator[str]:
    """The lines of every fence of a kind, without the prompt."""
    for token in blocks(page):
        if token.type == "fence" and token.info == kind:
            yield from (line.strip().removeprefix("$ ") for line in token.content.splitlines() if line.strip())


@functools.cache
def blocks(page: Path) -> list[Token]:
    """What the page is made of, its lines' own markup aside."""
    return MarkdownIt().disable("inline").parse(page.read_text())


RUN = list(dict.fromkeys(c for page in PAGES for c in fences(page, "sh") if c.startswith("countersign")))
SHOWN = list(dict.fromkeys(c for page in PAGES for c in fences(page, "console") if c.startswith("countersign")))


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_"))}
    return subprocess.run(
        [sys.executable, "-m", "bot", *shlex.split(command)[1:]], cwd=folder, env={**kept, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host as an operator has it: policy files and a database that is up to date."""
    found = tmp_path_factory.mktemp("host")
    shutil.copytree(ROOT / "runbooks", found / "runbooks", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    assert run("countersign migrate", found).returncode == 0
    return found


@pytest.mark.parametrize("command", RUN)
def test_a_command_of_the_documentation_works(command: str, folder: Path) -> None:
    wanted, says = ALONE.get(command, (0, ""))
    done = run(command, folder)
    assert done.returncode == wanted, done.stdout + done.stderr
    assert done.stderr.startswith(says)
    assert "Traceback" not in done.stderr


def parsed(command: str) -> click.Context:
    """The command's context. Raises click's UsageError where the command, an option or an argument does not exist."""
    words = shlex.split(command)[1:]
    found: Any = typer.main.get_command(app)
    while hasattr(found, "list_commands"):
        if tuple(words[:2]) in NESTED:
            _, found, words = found.resolve_command(click.Context(found), words)
            break
        name = words.pop(0)
        step = loaded(name) if found.name == "countersign" else None
        found = step or found.get_command(click.Context(found), name)
        assert found is not None, f"there is no {command}"
    context: click.Context = found.make_context(found.name, words)
    return context


@pytest.mark.parametrize("command", SHOWN)
def test_a_command_that_is_only_shown_exists_with_its_options(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parsed(command).command.name


def test_a_command_that_does_not_exist_is_found() -> None:
    for wrong in ("countersign log forge", "countersign check --invented"):
        with pytest.raises(Exception, match=r"forge|invented"):
            parsed(wrong)


@pytest.mark.parametrize("target", [c.split()[1] for page in PAGES for c in fences(page, "sh") if c.startswith("make ")])
def test_a_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", head.replace("`", "")).strip().lower()) for head in heads}


def broken(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    for target, anchor in re.findall(r"\]\((?!https?:|mailto:)([^)#]*)(?:#([^)]*))?\)", page.read_text()):
        other = (page.parent / target).resolve() if target else page
        if not other.is_file() or (anchor and other.suffix == ".md" and anchor not in anchors(other)):
            found.append(f"{target}#{anchor}")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_links_and_pictures_lead_somewhere(name: str) -> None:
    assert broken(DOCS / name) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# One two\n[a](#one-two) [b](#three) [c](d.md)")
    assert broken(page) == ["#three", "d.md#"]


def test_every_page_is_in_the_navigation() -> None:
    nav = (ROOT / "mkdocs.yml").read_text().split("\nnav:")[1]
    assert sorted(re.findall(r"[\w/-]+\.md", nav)) == NAMES


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_of_newcomers_is_one_click_from_the_first_page(question: str) -> None:
    row = next(line for line in (DOCS / "index.md").read_text().splitlines() if line.startswith("|") and question in line)
    assert re.search(r"\]\([^)]+\.md", row)


def test_every_scope_of_the_manifest_has_its_reason_and_what_is_lost() -> None:
    rows = re.findall(
        r"^\| `([a-z:]+)` \| (.+?) \| (.+?) \|$", (DOCS / "security" / "slack-scopes.md").read_text(), re.MULTILINE
    )
    assert sorted(scope for scope, *_ in rows) == manifest()["oauth_config"]["scopes"]["bot"]
    assert all(len(why) > 20 and lost for _, why, lost in rows)


def test_twenty_questions_of_auditors_name_a_file_and_columns_of_the_pack() -> None:
    rows = re.findall(
        r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", (DOCS / "audit" / "questions.md").read_text(), re.MULTILINE
    )
    assert [int(number) for number, *_ in rows] == list(range(1, 21))
    files = {f"`{name}.csv`" for name in (*tables.FILES, "sample", "controls")}
    assert {file for *_, file, _ in rows} <= files | {"not shown here"}
    assert sum(file == "not shown here" for *_, file, _ in rows) >= 3
    for number, _, _, file, row in rows:
        if file == "not shown here":
            continue
        columns = pack.SAMPLE_COLUMNS if "sample" in file else tables.columns_of(file.strip("`").removesuffix(".csv"))
        assert set(re.findall(r"`(\w+)`", row)) & set(columns), f"question {number} names no column of {file}"


def test_the_questions_of_auditors_cover_the_frameworks() -> None:
    text = (DOCS / "audit" / "questions.md").read_text()
    for name in (
        "CC6.1",
        "CC6.2",
        "CC6.3",
        "A.5.15",
        "A.5.18",
        "A.5.23",
        "A.8.2",
        "7.2.4",
        "8.2.2",
        "8.3.3",
        "GV.RM",
        "GV.SC",
        "NHI",
    ):
        assert name in text
    assert {c.framework for c in controls.CONTROLS} >= {"soc2", "iso27001", "pci", "csf", "nhi"}


def test_the_runbook_in_the_documentation_is_accepted(tmp_path: Path) -> None:
    text = re.search(r"```markdown\n(.*?)```", (DOCS / "runbooks.md").read_text(), re.DOTALL)
    assert text is not None
    shutil.copytree(ROOT / "runbooks", tmp_path / "runbooks", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "runbooks" / "vpn-account-unlock.md").write_text(text.group(1))
    done = run("countersign check runbooks", tmp_path)
    assert done.returncode == 0, done.stdout


def test_what_the_page_quotes_of_a_narrowed_right_is_what_matrix_and_explain_print() -> None:
    governed = policy(runbooks=[runbook("unlock", right="autonomous", escalation=None)])
    since, text = datetime(2026, 10, 2, tzinfo=UTC), " ".join((DOCS / "providers.md").read_text().split())
    for refused in (False, True):
        taken = Consent(taken_at=since, refused=refused)
        (row,) = rows(governed, governed.domains["directory"], {governed.runbooks["unlock"].sha256: taken})
        said = consent_words(governed, row)
        assert f"`{said.partition('; ')[2] if refused else said}`" in text
    silent = Narrowed("autonomous", "unlock", "directory", "narrow", own=False, row="", sha256="", since=since)
    assert f"`{in_words(silent)}`" in text

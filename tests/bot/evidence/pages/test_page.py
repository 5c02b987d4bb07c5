"""The auditor's page in a real Chromium, opened from disk."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.domain.case.campaign import Asked, Campaign, Item
from bot.domain.case.transition import Actor, Transition
from bot.domain.decision_log import review_events
from bot.domain.decision_log.entry_types import ENTRY_TYPES
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.evidence.case_export import export_case
from bot.evidence.check import check_export
from bot.evidence.export import export
from bot.evidence.folder import Folder
from storage.log.evidence import evidence
from tests.bot.building import AUDIT, LEAD, OWNER, PE1, PE2, RISK, T0
from tests.bot.evidence.conftest import Written
from tests.bot.evidence.signed_log import EVIL, EXTRA, OLGA, OLGA2, RP, RUTH, Passkey, Writer, signed_policy
from tests.bot.evidence.signing import Scribe
from tests.bot.evidence.test_check import erased_and_disclosed

pytestmark = pytest.mark.asyncio(loop_scope="session")  # that of `shared_browser`


@pytest_asyncio.fixture(loop_scope="session")
async def look(shared_browser: Browser) -> AsyncIterator[Callable[..., Any]]:
    """`await look(folder)` opens the export's page and picks its folder; any request and any console error fails the test."""
    wrong: list[str] = []
    contexts = []

    async def opened(folder: Path, **how: Any) -> Page:
        context = await shared_browser.new_context(**how)
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
        page.on(
            "request",
            lambda request: None if request.url.startswith(("file:", "data:", "blob:")) else wrong.append(request.url),
        )
        await page.goto((folder / "index.html").as_uri())
        await page.set_input_files("#folder", folder)
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert wrong == []


async def verify(page: Page) -> str:
    """Presses Verify; the title of what it found."""
    await page.get_by_role("button", name="Verify").click()
    await expect(page.locator("#result h2")).to_be_visible()
    return await page.locator("#result h2").inner_text()


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert data.count(old) >= 1
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new, 1))


async def test_an_honest_export_verifies(look: Callable[..., Any], written: Written, exported: Path) -> None:
    page = await look(exported)
    await expect(page.locator("#status")).to_contain_text("not yet checked")
    assert await verify(page) == "The export agrees with itself; its key is unchecked"
    assert await page.locator("#result").get_attribute("class") == "unsure"
    await expect(page.locator("#result")).to_contain_text("only by the key that lies in the export itself")
    await page.locator("#trusted").fill(written.scribe.vkey)
    assert await verify(page) == "Nothing was altered"
    await expect(page.locator("#result")).to_contain_text("by the key that you gave")


async def test_another_key_than_the_signers_is_named(look: Callable[..., Any], exported: Path) -> None:
    page = await look(exported)
    await page.locator("#trusted").fill(Scribe("test.example/log", seed=2).vkey)
    assert await verify(page) == "This export was altered"
    await expect(page.locator("#result li").first).to_contain_text("signature")


def an_entry(folder: Path) -> str:
    rewrite(folder / "tile/entries/000", b'"kind":"emergency_access"', b'"kind":"emergency_axcess"')
    return "Entry 2 was altered"


def an_entry_and_its_hash(folder: Path) -> str:
    from bot.domain.decision_log.merkle_tree import leaf_hash
    from bot.domain.decision_log.tiles import unbundle

    an_entry(folder)
    leaf = leaf_hash((unbundle((folder / "tile/entries/000").read_bytes()) or [])[2])
    tile = bytearray((folder / "tile/0/000").read_bytes())
    tile[64:96] = leaf
    (folder / "tile/0/000").write_bytes(tile)
    return "Entry 3 does not follow"


def a_disclosure(folder: Path) -> str:
    lines = (folder / "disclosures.jsonl").read_text().split("\n")
    told = json.loads(lines[0])
    lines[0] = json.dumps(told | {"disclosure": "WyJhIiwgImIiLCAiYyJd"})
    (folder / "disclosures.jsonl").write_text("\n".join(lines))
    return "was altered"


def an_older_checkpoint(folder: Path) -> str:
    path = min((folder / "checkpoints").iterdir(), key=lambda p: int(p.name))
    path.write_text(Scribe("test.example/log").note(int(path.name), bytes(32)))
    return "do not lead to the root in checkpoints/"


def the_checkpoint(folder: Path) -> str:
    rewrite(folder / "checkpoint", b"test.example/log\n", b"text.example/log\n")
    return "does not carry a good signature"


def a_missing_bundle(folder: Path) -> str:
    (folder / "tile/entries/000").unlink()
    return "The bytes of entry 255 are missing"


def a_bundle_cut_off(folder: Path) -> str:
    data = (folder / "tile/entries/000").read_bytes()
    (folder / "tile/entries/000").write_bytes(data[:-1])
    return "cut off"


async def assert_named(look: Callable[..., Any], folder: Path, tamper: Callable[[Path], str]) -> Page:
    """The page calls what `tamper` did to an export altered, in the words that it gives."""
    said = tamper(folder)
    page: Page = await look(folder)
    assert await verify(page) == "This export was altered"
    await expect(page.locator("#result")).to_contain_text(said)
    return page


@pytest.mark.parametrize(
    "tamper",
    [an_entry, an_entry_and_its_hash, a_disclosure, an_older_checkpoint, the_checkpoint, a_missing_bundle],
    ids=lambda tamper: tamper.__name__,
)
async def test_a_tampered_export_is_named(
    look: Callable[..., Any], altered: Callable[[], Path], tamper: Callable[[Path], str]
) -> None:
    await assert_named(look, altered(), tamper)


def matrix_of(folder: Path) -> Path:
    return next(path for path in (folder / "policy").rglob("responsibility.yaml"))


def a_name_in_the_policy(folder: Path) -> str:
    rewrite(matrix_of(folder), b"Olga Novak", b"Evil Novak")
    return "/responsibility.yaml was altered"


def a_file_of_the_policy_that_is_missing(folder: Path) -> str:
    (matrix_of(folder).parent / "vault-admin-emergency.md").unlink()
    return "/vault-admin-emergency.md is missing"


def a_file_beside_the_policy(folder: Path) -> str:
    (matrix_of(folder).parent / "extra.md").write_text("---\nid: extra\n---\n")
    return "/extra.md does not belong to its set"


def a_policy_that_is_missing(folder: Path) -> str:
    shutil.rmtree(matrix_of(folder).parent)
    return "/ is missing, which entry "


def a_policy_that_the_log_does_not_name(folder: Path) -> str:
    shutil.copytree(matrix_of(folder).parent, folder / "policy" / ("0" * 64))
    rewrite(folder / "policy" / ("0" * 64) / "responsibility.yaml", b"Olga Novak", b"Evil Novak")
    return f"policy/{'0' * 64}/ is no set that the log names"


def a_selection_beside_a_whole_log(folder: Path) -> str:
    (folder / "selection.json").write_text("{}")
    return " does not belong to an export of single requests"


@pytest.mark.parametrize(
    "tamper",
    [
        a_name_in_the_policy, a_file_of_the_policy_that_is_missing, a_file_beside_the_policy, a_policy_that_is_missing,
        a_policy_that_the_log_does_not_name, a_selection_beside_a_whole_log,
    ],
    ids=lambda tamper: tamper.__name__,
)  # fmt: skip
async def test_files_that_are_not_those_of_the_log_are_named_and_no_name_is_read_from_them(
    look: Callable[..., Any], altered: Callable[[], Path], tamper: Callable[[Path], str]
) -> None:
    page = await assert_named(look, altered(), tamper)
    assert "Evil" not in await page.locator("body").inner_text()


async def test_a_file_that_is_no_part_of_the_export_is_named(look: Callable[..., Any], altered: Callable[[], Path]) -> None:
    folder = altered()
    for name in ("a\u202eb.txt", ".DS_Store", "tile/.DS_Store"):
        (folder / name).write_bytes(b"")
    page = await look(folder)
    assert await verify(page) == "The export agrees with itself; its key is unchecked"
    await expect(page.locator("#result")).to_contain_text("No part of an export, and not read: a\\u202eb.txt.")


async def test_a_broken_file_is_a_sentence(look: Callable[..., Any], altered: Callable[[], Path]) -> None:
    folder = altered()
    said = a_bundle_cut_off(folder)
    page = await look(folder)
    await expect(page.locator("#status")).to_contain_text(f"cannot be read: tile/entries/000 is {said}")


async def test_a_folder_that_is_no_export_is_a_sentence(look: Callable[..., Any], exported: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("a")
    page = await look(exported)
    await page.set_input_files("#folder", tmp_path / "other")
    await expect(page.locator("#status")).to_contain_text("no file “checkpoint”")
    await expect(page.locator("#log")).to_be_hidden()


async def test_a_browser_without_ed25519_says_so_and_checks_the_rest(look: Callable[..., Any], exported: Path) -> None:
    page = await look(exported)
    await page.evaluate(  # without a worker either: the page reads and checks by itself
        "() => { globalThis.Worker = undefined;"
        " crypto.subtle.importKey = () => Promise.reject(new DOMException('Unrecognized.', 'NotSupportedError')); }"
    )
    await page.set_input_files("#folder", exported)
    await expect(page.locator("#status")).to_contain_text("not yet checked")
    assert await verify(page) == "The hashes agree; the signature is unchecked"
    await expect(page.locator("#result")).to_contain_text("cannot check Ed25519")


async def test_the_timeline_says_who_decided_how_long_it_took_and_what_escalated(
    look: Callable[..., Any], written: Written, exported: Path
) -> None:
    page = await look(exported)
    await expect(page.locator("#count")).to_have_text("5 of 5 cases")
    case = page.locator(f'details[data-case="{written.cases["denied"]}"]')
    await expect(case.locator(".facts")).to_contain_text("6 min")
    await expect(case.locator(".facts")).to_contain_text("Dev Rao (T0HOME/U0DEP1) for Olga Novak (T0HOME/U0OWNER)")
    await case.locator("summary").click()
    line = case.locator(".timeline")
    await expect(line).to_contain_text("Pavel Horak (T0HOME/U0PE1) of northgate asked for 1 h")
    await expect(line.locator("li.escalates")).to_contain_text("Asked deputy: Dev Rao (T0HOME/U0DEP1), Maeve Brennan")
    await expect(line).to_contain_text("Dev Rao (T0HOME/U0DEP1) said no as deputy on behalf of Olga Novak")
    await expect(line).to_contain_text("reason: Sync stopped: <b>&")
    opened = page.locator(f'details[data-case="{written.cases["open"]}"]')
    await opened.locator("summary").click()
    await expect(opened).to_contain_text("Ruth Adeyemi (T0HOME/U0RISK) said yes as risk owner")
    await expect(opened).to_contain_text("A click of Pavel Horak (T0HOME/U0PE1) (approve) did not count: party")


@pytest.mark.parametrize(
    ("field", "value", "left"),
    [
        ("f-state", "denied", {"denied"}),
        ("f-state", "open", {"open"}),
        ("f-provider", "northgate", {"denied", "expired", "open", "pending"}),
        ("f-runbook", "directory-admin-emergency", {"denied", "expired", "open", "pending"}),
        ("f-domain", "directory", {"denied", "expired", "open", "pending", "right"}),
        ("f-from", "2026-03-05", set()),
        ("f-to", "2026-03-04", {"denied", "expired", "open", "pending", "right"}),
    ],
)
async def test_a_filter_leaves_these_cases(
    look: Callable[..., Any], written: Written, exported: Path, field: str, value: str, left: set[str]
) -> None:
    page = await look(exported)
    control = page.locator(f"#{field}")
    await (control.fill(value) if field in ("f-from", "f-to") else control.select_option(value))
    await expect(page.locator("#count")).to_have_text(f"{len(left)} of 5 cases")
    found = {await one.get_attribute("data-case") for one in await page.locator("#cases details").all()}
    assert found == {written.cases[name] for name in left}


async def test_a_person_filter_and_show_all(look: Callable[..., Any], written: Written, exported: Path) -> None:
    page = await look(exported)
    await page.locator("#f-person").select_option(label="Tomas Lindqvist (T0HOME/U0ONC1)")
    await expect(page.locator("#count")).to_have_text("1 of 5 cases")
    await page.get_by_role("button", name="Show all").click()
    await expect(page.locator("#count")).to_have_text("5 of 5 cases")
    await page.locator("#f-id").fill(written.cases["open"].lower())
    await expect(page.locator("#count")).to_have_text("1 of 5 cases")


async def test_the_folder_can_be_dropped(look: Callable[..., Any], exported: Path) -> None:
    """A drop gives a folder entry, not a list of files: the page walks it."""
    page = await look(exported)
    await page.evaluate("document.getElementById('log').hidden = true")
    await page.evaluate(
        """async () => {
          const files = [...document.getElementById('folder').files], root = new Map();
          for (const file of files) {
            const parts = file.webkitRelativePath.split('/').slice(1);
            let at = root;
            for (const part of parts.slice(0, -1)) at = at.get(part) ?? at.set(part, new Map()).get(part);
            at.set(parts.at(-1), file);
          }
          const entry = (name, node) => node instanceof Map
            ? { name, isFile: false, createReader: () => { let parts = [[...node].map(([n, v]) => entry(n, v)), []];
                return { readEntries: (yes) => yes(parts.shift()) }; } }
            : { name, isFile: true, file: (yes) => yes(node) };
          const event = new Event('drop', { bubbles: true, cancelable: true });
          event.dataTransfer = { items: [{ webkitGetAsEntry: () => entry('evidence', root) }] };
          document.dispatchEvent(event);
        }"""
    )
    await expect(page.locator("#log")).to_be_visible()
    assert await verify(page) == "The export agrees with itself; its key is unchecked"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_fits_a_phone_and_has_contrast(
    look: Callable[..., Any], written: Written, exported: Path, scheme: str
) -> None:
    page = await look(exported, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    await expect(page.locator("#log")).to_be_visible()
    await page.locator("summary").first.click()
    await verify(page)
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    low = await page.evaluate(
        """() => {
          const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
            return .2126 * r + .7152 * g + .0722 * b; };
          const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255,255,255)'; };
          return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
            .map((e) => { const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x); return [e.tagName + '.' + e.className, (a + .05) / (b + .05)]; })
            .filter(([, ratio]) => ratio < 4.5);
        }"""
    )
    assert low == []


async def test_every_control_has_a_name(look: Callable[..., Any], exported: Path) -> None:
    page = await look(exported)
    nameless = await page.evaluate(
        "[...document.querySelectorAll('input, select, textarea')].filter((e) => !e.labels.length || !e.labels[0].textContent.trim()).map((e) => e.id)"
    )
    assert nameless == []


async def test_what_is_erased_and_disclosed_all_the_same_is_named(
    look: Callable[..., Any], altered: Callable[[], Path]
) -> None:  # fmt: skip
    folder = altered()
    erased_and_disclosed(folder)
    page = await look(folder)
    assert await verify(page) == "This export was altered"
    await expect(page.locator("#result")).to_contain_text("is erased, and it is disclosed")


@pytest.mark.parametrize("case", [False, True])
async def test_the_page_opens_full_from_disk_with_no_folder_to_choose(
    shared_browser: Browser, written: Written, tmp_path: Path, *, case: bool
) -> None:
    folder = tmp_path / "out"
    with evidence(written.database) as log, Folder(folder) as out:
        found = next(row.case for row in log.rows() if row.case) if case else None
        export(log, written.scribe.vkey, out) if found is None else export_case(log, written.scribe.vkey, out, found)
    page = await shared_browser.new_page()
    await page.goto((folder / "index.html").as_uri())
    await expect(page.locator("#result h2")).to_have_text(
        "The export agrees with itself; its key is unchecked", timeout=15_000
    )
    await expect(page.locator("#folder")).to_be_hidden()
    await expect(page.locator("#origin")).to_contain_text("of one request" if case else written.scribe.origin)
    await page.locator("#trusted").fill(written.scribe.vkey)
    assert await verify(page) == "Nothing was altered"
    await page.close()


async def test_every_entry_type_that_the_log_may_hold_has_words() -> None:
    known = set(re.findall(r"^\| `([a-z_.]+)` \|", Path("docs/reference/log-entries.md").read_text(), re.MULTILINE))
    assert len(known) > 90
    assert known - set(ENTRY_TYPES) == set()


async def signed_export(tmp_path: Path, **approval: Any) -> Path:
    """An export with a yes of the owner, signed as the test wants it, and an honest one of the risk owner."""
    log = await Writer(tmp_path / "signed.db").open()
    await log.load(signed_policy())
    for case, person, key, how in (("R-00000001", OWNER, OLGA, approval), ("R-00000002", RISK, RUTH, {})):
        await log.file(case)
        await log.approve(case, person, key, **how)
    await log.store.close()
    return log.export(tmp_path / "signed")


async def test_signed_answers_are_proven_by_the_browsers_own_cryptography(look: Callable[..., Any], tmp_path: Path) -> None:
    page = await look(await signed_export(tmp_path))
    await verify(page)
    await expect(page.locator("#result")).to_contain_text("2 answers were signed with passkeys, and each signature holds")
    await expect(page.locator("#result li")).to_have_count(0)


@pytest.mark.parametrize(("signature", "found"), [("required", 1), ("device_bound", 1), ("none", 0)])
async def test_a_yes_without_the_signature_that_its_runbook_demands_is_a_finding(
    look: Callable[..., Any], tmp_path: Path, signature: str, found: int
) -> None:
    log = await Writer(tmp_path / "signed.db").open()
    await log.load(signed_policy(None, signature))
    await log.file("R-00000001")
    await log.approve("R-00000001", OWNER, None)
    await log.file("R-00000002")
    await log.approve("R-00000002", OWNER, OLGA)
    await log.store.close()
    page = await look(log.export(tmp_path / "signed"))
    await verify(page)
    lines = await page.locator("#result li").all_inner_texts()
    assert (
        len([line for line in lines if line.startswith("unsigned") and "(request.approved)" in line]) == len(lines) == found
    )


async def test_a_yes_is_judged_by_what_its_runbook_demanded_when_it_was_asked_for(
    look: Callable[..., Any], tmp_path: Path
) -> None:
    log = await Writer(tmp_path / "signed.db").open()
    await log.load(signed_policy())
    await log.file("R-00000001")
    await log.load(signed_policy(None, "none"))
    await log.approve("R-00000001", OWNER, None)
    await log.store.close()
    page = await look(log.export(tmp_path / "signed"))
    await verify(page)
    await expect(page.locator("#result li").last).to_contain_text("unsigned")


async def test_the_page_names_the_findings_that_only_log_verify_makes(look: Callable[..., Any], tmp_path: Path) -> None:
    page = await look(await signed_export(tmp_path))
    await verify(page)
    line = page.locator("#result #not-judged")
    assert await line.locator("code").all_inner_texts() == [
        "unsigned", "unendorsed", "delay", "policy", "party", "countersign log verify --export FOLDER",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("approval", "text"),
    [
        ({"signing": {"origin": "https://evil.example"}}, "it was signed at https://evil.example"),
        ({"signing": {"crossOrigin": True}}, "inside another page"),
        ({"signing": {"flags": 0x01}}, "nobody was present, or verified"),
        ({"signing": {"flags": 0x0D}}, "about being synced"),
        ({"signing": {"rp": "evil.example"}}, "of another address"),
        ({"signing": {"challenge": "AAAA"}}, "signed something else"),
        ({"seconds": 7200}, "says seconds 3600, the entry 7200"),
    ],
)
async def test_a_signature_that_proves_nothing_is_named(
    look: Callable[..., Any], tmp_path: Path, approval: dict[str, Any], text: str
) -> None:
    page = await look(await signed_export(tmp_path, **approval))
    await verify(page)
    await expect(page.locator("#result li").first).to_contain_text(text)


async def test_a_signature_under_another_key_is_named(look: Callable[..., Any], tmp_path: Path) -> None:
    folder = await signed_export(tmp_path)
    (matrix,) = (folder / "policy").glob("*/responsibility.yaml")
    keys = [key.line.split("key: ")[1].split(",")[0] for key in (OLGA, RUTH)]
    matrix.write_text(matrix.read_text().replace(*keys))
    page = await look(folder)
    await verify(page)
    await expect(page.locator("#result")).to_contain_text("does not match the key in the policy")
    await expect(page.locator("#result li").first).to_contain_text("responsibility.yaml was altered")


async def test_the_page_that_opens_by_itself_knows_what_a_runbook_demands(shared_browser: Browser, tmp_path: Path) -> None:
    """Nobody picks a folder: what the page judges lies inside it."""
    log = await Writer(tmp_path / "signed.db").open()
    await log.load(signed_policy())
    await log.approve(await log.file("R-00000001"), OWNER, None)
    await log.store.close()
    page = await shared_browser.new_page()
    await page.goto((log.export(tmp_path / "signed") / "index.html").as_uri())
    await expect(page.locator("#result li").first).to_contain_text("unsigned", timeout=15_000)
    await page.close()


@pytest.mark.parametrize(
    ("second", "text"),
    [
        (
            signed_policy({"olga": (OLGA, EVIL), "ruth": (RUTH,)}),
            f"gets a passkey ({EVIL.id[:12]}…), and nobody endorsed it.",
        ),
        (signed_policy(None, "none"), "directory-admin-emergency takes a weaker signature (none, before: required)"),
        (
            signed_policy(signing=(EXTRA % (RP, RP)).replace("none", "none, unendorsed_delay: 24h")),
            "the key `signing` changes",
        ),
    ],
)
async def test_a_change_of_the_keys_that_nobody_endorsed_stands_first_in_words(
    look: Callable[..., Any], tmp_path: Path, second: Policy, text: str
) -> None:
    log = await Writer(tmp_path / "signed.db").open()
    await log.load(signed_policy())
    await log.load(second)
    await log.approve(await log.file("R-00000001"), OWNER, None)
    await log.store.close()
    page = await look(log.export(tmp_path / "signed"))
    await verify(page)
    await expect(page.locator("#result h2")).to_have_text("The bytes agree, and there are findings")
    await expect(page.locator("#result p").first).to_contain_text("The signing keys were changed, and nobody endorsed it.")
    line = page.locator("#result li").first
    await expect(line).to_contain_text("unendorsed")
    await expect(line).to_contain_text(text)


@pytest.mark.parametrize(("by", "key", "endorsed"), [(RISK, RUTH, True), (OWNER, OLGA, False), (RISK, EVIL, False)])
async def test_an_endorsement_counts_if_its_signature_holds_and_its_signer_gains_nothing(
    look: Callable[..., Any], tmp_path: Path, by: Person, key: Passkey, endorsed: bool
) -> None:
    log = await Writer(tmp_path / "signed.db").open()
    old, new = signed_policy(), signed_policy({"olga": (OLGA, OLGA2), "ruth": (RUTH,)})
    await log.load(old)
    await log.load(new)
    await log.endorse(old, new, by, key)
    await log.store.close()
    page = await look(log.export(tmp_path / "signed"))
    await verify(page)
    lines = await page.locator("#result li").all_inner_texts()
    assert any(line.startswith("unendorsed") for line in lines) is not endorsed, lines


async def test_a_set_that_says_the_same_in_another_form_is_no_change_of_the_keys(
    look: Callable[..., Any], tmp_path: Path
) -> None:
    log = await Writer(tmp_path / "signed.db").open()
    await log.load(signed_policy())
    await log.load(
        signed_policy(
            signing=f"signing:   # where decisions are signed\n  origin: https://{RP}\n  rp_id: '{RP}'\n  unendorsed_delay: 3d\n"
        )
    )
    await log.store.close()
    page = await look(log.export(tmp_path / "signed"))
    await verify(page)
    await expect(page.locator("#result li")).to_have_count(0)


async def test_what_only_the_whole_policy_judges_stands_there_as_the_word_of_whoever_exported(
    shared_browser: Browser, tmp_path: Path
) -> None:
    """A yes of somebody whom the set before, which still bound, did not name."""
    log = await Writer(tmp_path / "signed.db").open()
    await log.load(signed_policy({}, "none", signing="\n"))
    await log.load(signed_policy({}, "none", ("risk_owner: ruth", "risk_owner: anselm"), signing="\n"))
    await log.file("R-00000001")
    await log.write(
        "request.approved", Actor("person", AUDIT, "home"), "R-00000001", have=1, need=1, seconds=3600, role="risk_owner"
    )
    await log.store.close()
    folder = log.export(tmp_path / "signed")
    assert [f.code for f in check_export(folder).findings if f.code == "delay"] == ["delay"]
    page = await shared_browser.new_page()
    await page.goto((folder / "index.html").as_uri())
    await expect(page.locator("#result p").first).to_contain_text("Something counted before its time", timeout=15_000)
    line = page.locator("#result li").first
    await expect(line).to_contain_text("had no authority in the set")
    await expect(line).to_contain_text("the word of whoever made this export")
    await page.close()


async def test_a_review_of_rights_is_a_case_whose_sentences_name_the_right_and_the_person(
    look: Callable[..., Any], tmp_path: Path
) -> None:
    log = await Writer(tmp_path / "reviewed.db").open()
    await log.load(signed_policy())
    right = Item("autonomous", "account-unlock", ("directory",), "Unlock", "northgate", "ab" * 32, "cd" * 32)
    asks = Item("person", str(PE1), ("directory",), "Pavel Horak", "northgate")
    book = replace(right, of="vault-open", kind="break_glass", answer="keep", by=OWNER)
    asked = (Asked(OWNER, "owner", T0), Asked(LEAD, "lead", T0))
    review = Campaign(
        "V-00000001", OWNER, (right, asks, replace(book, answer="")), T0, 2, narrows=True, asked=asked, counted=2
    )
    wrote = (
        review_events.opened(review, log.policy),
        review_events.attested(review.id, log.policy, LEAD, "northgate", [str(PE1)], [str(PE2)], T0),
        review_events.answered(review, book, log.policy, "owner", "needed at night", None),
        review_events.fell_silent(review, right, log.policy, T0),
        review_events.fell_silent(review, asks, log.policy, T0),
    )
    await log.store.commit(Transition(None, None, wrote))
    await log.store.close()
    page = await look(log.export(tmp_path / "reviewed"))
    case = page.locator('details[data-case="V-00000001"]')
    await expect(case.locator("summary")).to_contain_text("open review")
    await expect(case.locator(".facts")).to_contain_text("Olga Novak (T0HOME/U0OWNER)")
    await case.locator("summary").click()
    said = [await line.inner_text() for line in await case.locator(".timeline li > div:nth-child(2)").all()]
    olga = "Olga Novak (T0HOME/U0OWNER)"
    assert said[0] == f"The review of {olga} opened: 3 rights, 2 working days; silence narrows"
    assert re.fullmatch(
        r".+LEAD\) of northgate confirmed who may ask: Pavel Horak .+; no longer theirs: .+U0PE2\)", said[1]
    )
    assert said[2].startswith(f"{olga} kept the right vault-open (break-glass) in directory as owner")
    silent = f"in 2 working days no answer from {olga}"
    assert said[3:] == [
        f"Silence narrowed the right account-unlock (which opens by itself) in directory: {silent}",
        f"Silence narrowed the right of Pavel Horak (T0HOME/U0PE1) to ask in directory: {silent}",
    ]
    await page.select_option("#f-person", label="Pavel Horak (T0HOME/U0PE1)")
    await expect(page.locator("#count")).to_have_text("1 of 1 cases")


async def test_what_the_clock_ended_before_its_time_is_not_called_late(look: Callable[..., Any], tmp_path: Path) -> None:
    log = await Writer(tmp_path / "early.db").open()
    await log.load(signed_policy())
    early, late = "R-00000001", "R-00000002"
    for case, end in ((early, timedelta(minutes=9)), (late, timedelta(minutes=-9))):
        await log.file(case)
        await log.approve(case)
        await log.write(
            "grant.lapsed", Actor("clock"), case, seconds=3600, not_after=log.clock.now() + end, closed_by="clock"
        )
    await log.file("R-00000003")
    await log.write(
        "request.expired", Actor("clock"), "R-00000003", asked=(OWNER,), delivered=1, reason="Northgate is suspended."
    )
    await log.store.close()
    page = await look(log.export(tmp_path / "early"))
    for case, said in (
        (early, "The approval ended before its time"),
        (late, "The time ran out"),
        ("R-00000003", "It expired before its time: Northgate is suspended."),
    ):
        told = page.locator(f'details[data-case="{case}"]')
        await told.locator("summary").click()
        await expect(told.locator(".timeline li").last).to_contain_text(said)

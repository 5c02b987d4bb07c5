"""The demo's copy of the example has an address for everybody who decides, and leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

from bot.demo.run import SCALE
from bot.demo.workspace import APPROVER, ASKER, REVIEW_SCALE, script, with_pages, workspace
from bot.domain.authority.authorization import named_for
from bot.domain.policy.model import Policy
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from sandbox.workspace import Workspace
from tests.conftest import EXAMPLE


def test_everybody_who_decides_has_a_page_and_one_rota_an_incident(tmp_path: Path, example: Policy) -> None:
    before = dict(os.environ)
    with with_pages(EXAMPLE, tmp_path, example, lambda user: f"json://127.0.0.1:1/pager/{user}") as copy:
        loaded = load_files(read_folder(copy), environment=os.environ, require_env=True)
        assert loaded.policy is not None, loaded.errors
        assert not [f for f in loaded.findings if "page" in f.text]
        paged = {p.person: p.page for p in loaded.policy.people if p.page}
        deciding = {p for domain in loaded.policy.domains.values() for p in named_for(loaded.policy, domain)}
        assert set(paged) == deciding
        assert {os.environ[page.removeprefix("env:")] for page in paged.values()} == {
            f"json://127.0.0.1:1/pager/{person.user}" for person in deciding
        }
        rota = loaded.policy.rotas["security"].page
        assert rota is not None
        assert os.environ[rota.removeprefix("env:")] == "pagerduty://on-call"
    assert dict(os.environ) == before


def test_the_app_has_the_manifests_shortcuts_and_the_page_opens_with_what_to_try(example: Policy) -> None:
    made = Workspace.from_dict(workspace(example, SCALE))
    assert {(one.type, one.callback_id) for one in made.app.shortcuts} >= {("global", "ask"), ("message", "ask_message")}
    assert made.start["panel"] == "script"
    assert (made.start["left"], made.start["right"]) == (ASKER, APPROVER)


def test_the_waiting_request_lives_for_fifteen_minutes(tmp_path: Path, example: Policy) -> None:
    with with_pages(EXAMPLE, tmp_path, example, lambda user: f"json://127.0.0.1:1/pager/{user}") as copy:
        loaded = load_files(read_folder(copy), environment=os.environ, require_env=True)
        assert loaded.policy is not None
        urgent = loaded.policy.escalation_policies["urgent"]
    assert urgent.expires_after / SCALE == 15 * 60


def test_the_demo_of_reviews_has_acts_of_its_own_and_a_policy_where_silence_narrows(
    tmp_path: Path, example: Policy
) -> None:
    assert workspace(example, REVIEW_SCALE)["script"] == script(reviews=True) != script()
    assert workspace(example, SCALE)["script"] == script()
    with with_pages(EXAMPLE, tmp_path, example, lambda user: f"json://127.0.0.1:1/pager/{user}", reviews=True) as copy:
        loaded = load_files(read_folder(copy), environment=os.environ, require_env=True)
    assert loaded.policy is not None, loaded.errors
    assert loaded.policy.review is not None
    assert (loaded.policy.review.silence, loaded.policy.review.window_days) == ("narrow", 2)

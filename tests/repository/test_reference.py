"""The reference pages say what the code says."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_tool", ROOT / "tools" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sys.path.insert(0, str(ROOT))
TOOL = _tool()


@pytest.mark.parametrize("name", sorted(TOOL.REFERENCE))
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    page = ROOT / "docs" / "reference" / f"{name}.md"
    assert page.read_text() == TOOL.REFERENCE[name](), "run .venv/bin/python tools/reference.py"


def test_commands_of_groups_and_lazy_ones_have_their_options() -> None:
    text = TOOL.commands()
    assert "### `countersign log hold place`" in text
    assert "| `--absent` | Said to be away; repeat it for several." in text


def test_the_page_of_words_holds_what_people_read_and_nothing_else() -> None:
    from tools import words

    text = words.pages()
    assert "- `Button posted. Pin it so people can find it.`" in text
    assert "- `*REVOKED*{by} at {at}. Stop work.`" in text
    assert "SELECT" not in text
    assert "outbox.not_leased" not in text  # the program's own log


def test_a_setting_without_words_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        TOOL, "SETTINGS", {name: words for name, words in TOOL.SETTINGS.items() if name != "COUNTERSIGN_ME"}
    )
    with pytest.raises(KeyError, match="COUNTERSIGN_ME"):
        TOOL.settings()

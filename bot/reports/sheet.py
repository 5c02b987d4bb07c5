"""The one page that every report is printed on: it loads nothing, follows light and dark, and prints on A4."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib import resources


def sheet(title: str, parts: Iterable[str]) -> str:
    """The page as HTML. `title` is text, the parts are HTML."""
    shell = resources.files("bot.reports").joinpath("pages", "pack.html").read_text(encoding="utf-8")
    return shell.replace("<!-- title -->", escape(title)).replace("<!-- body -->", "\n".join(parts))

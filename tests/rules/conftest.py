"""Fixtures of the folders that mirror the tree, for rules that span several of them."""

from tests.bot.conftest import host
from tests.bot.evidence.conftest import exported, written, written_once
from tests.bot.reports.conftest import year
from tests.runbooks.conftest import changed, organisation, stored

__all__ = ["changed", "exported", "host", "organisation", "stored", "written", "written_once", "year"]

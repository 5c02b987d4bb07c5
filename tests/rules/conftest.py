"""Fixtures of the small organisation and its signed log, for rules that span the loader, the log and its evidence."""

from tests.bot.evidence.conftest import written
from tests.runbooks.conftest import changed, organisation, stored

__all__ = ["changed", "organisation", "stored", "written"]

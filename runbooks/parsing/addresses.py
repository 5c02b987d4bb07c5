"""The location of a rota's feed: a file of the folder, or an address, which may be fetched over https or from this machine."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.domain.policy.handed_in import value_of
from bot.domain.policy.rota import Rota
from bot.domain.policy.trusted_address import is_loopback


def is_file(rota: Rota) -> bool:
    """Whether the rota's feed is a file of the policy folder."""
    return rota.feed is not None and "://" not in rota.feed and not rota.feed.startswith("env:")


def address_of(rota: Rota, environment: Mapping[str, str]) -> str | None:
    """The address behind a rota's `feed`; None for a file, a static rota, and where the environment holds none."""
    if rota.feed is None or is_file(rota):
        return None
    return value_of(rota.feed, environment) or None


def may_be_fetched(address: str) -> bool:
    """Whether it is an https address, or an http one on this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))

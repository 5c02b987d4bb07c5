"""Which proxy a call out takes, by the variables that other tools read.

`HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` name proxies and `NO_PROXY` the hosts that need none; the lower-case name wins, as
in curl. Two rules beyond that: this machine is never reached through a proxy, and a SOCKS proxy, which aiohttp does not
speak, counts as none. The variables are read at each call, so that one process and its tests see what is set now.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from bot.domain.policy.trusted_address import is_loopback

_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_PORTS = {"http": 80, "https": 443}


def proxy_for(url: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The proxy's address for a call to `url` (http, https, ws or wss); None for a direct call."""
    try:
        parts = urlsplit(url)
        scheme, host, port = _SCHEMES.get(parts.scheme, ""), (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None  # the call itself reports a wrong address
    if not scheme or not host or is_loopback(host):
        return None
    proxy = _variable(environment, f"{scheme}_proxy") or _variable(environment, "all_proxy")
    if not proxy or exempt(host, port or _PORTS[scheme], _variable(environment, "no_proxy")):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    return proxy if proxy.lower().startswith(("http://", "https://")) else None


def spare_loopback(environment: MutableMapping[str, str] = os.environ) -> None:
    """Adds this machine to `no_proxy`, for the packages that read the variables themselves (apprise, pagerduty)."""
    known = [one for one in re.split(r"[,\s]+", _variable(environment, "no_proxy")) if one]
    missing = [one for one in ("localhost", "127.0.0.1", "::1") if one not in known]
    if missing and "*" not in known and any(_variable(environment, f"{kind}_proxy") for kind in ("http", "https", "all")):
        environment["no_proxy"] = environment["NO_PROXY"] = ",".join([*known, *missing])


def exempt(host: str, port: int, no_proxy: str) -> bool:
    """Whether `no_proxy` names a host: `*`, a name with all names below it, an address, a CIDR range; each with a port or
    without."""
    return any(_matches(one, host.lower(), port) for one in re.split(r"[,\s]+", no_proxy.lower()) if one)


def _matches(rule: str, host: str, port: int) -> bool:
    if rule == "*":
        return True
    address = _address(host)
    if "/" in rule:
        return address is not None and _within(rule, address)
    name, only = _split(rule)
    if only is not None and only != port:
        return False
    if address is not None:
        return _address(name) == address
    name = name.removeprefix("*").lstrip(".").rstrip(".")
    return bool(name) and (host == name or host.endswith("." + name))


def _split(rule: str) -> tuple[str, int | None]:
    """Host and port of a rule; `[…]` around an IPv6 address."""
    found = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:]+):(\d+)", rule)
    if found is None:
        return rule, None
    port = found[2] or found[4]
    return found[1] or found[3], int(port) if port else None


def _within(rule: str, address: IPv4Address | IPv6Address) -> bool:
    try:
        return address in ip_network(rule, strict=False)
    except ValueError:
        return False


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is written as, an IPv4 one also where it is wrapped in IPv6; None for a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _variable(environment: Mapping[str, str], name: str) -> str:
    return (environment.get(name) or environment.get(name.upper()) or "").strip()

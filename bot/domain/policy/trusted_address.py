"""Which addresses may be trusted with a secret, or to bring keys: https, or this machine's own."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def trusted(url: str) -> bool:
    """Whether nobody on the way can read or change what goes to this address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and ip_address(host).is_loopback))
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: `localhost`, 127.0.0.0/8 or ::1, also where an IPv6 address wraps the IPv4 one."""
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_private(url: str) -> bool:
    """Whether it is an https address, or an http one on this machine: nobody on the way can read what is sent there."""
    if not all("!" <= sign <= "~" for sign in url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_on_this_machine(url)))


def is_on_this_machine(url: str) -> bool:
    """Whether an address, with its scheme, is of the loopback interface. Raises ValueError where it is no address."""
    return is_loopback(urlsplit(url).hostname or "")


def is_mail_server(url: str) -> bool:
    """Whether it reads `smtp://[user:password@]host[:port]`, or `smtps://`."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False

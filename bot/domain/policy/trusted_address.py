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

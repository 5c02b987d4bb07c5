"""A policy with many domains, so that no single conversation bounds how many requests pass in an hour."""

from __future__ import annotations

from pathlib import Path

_PEOPLE = "  d{n:02}: {{id: U0OW{n:02}, name: Owner {n}}}\n  e{n:02}: {{id: U0DE{n:02}, name: Deputy {n}}}\n  q{n:02}: {{id: U0RQ{n:02}, name: Asker {n}}}\n"
_DOMAIN = (
    "  many{n:02}:\n    name: Domain {n}\n    owner: d{n:02}\n    deputies: [e{n:02}]\n    risk_owner: ruth\n"
    "    on_call: security\n    channel: C0MANY{n:02}\n"
)


def owner(n: int) -> str:
    return f"U0OW{n:02}"


def asker(n: int) -> str:
    return f"U0RQ{n:02}"


def runbook(n: int) -> str:
    return f"many-{n:02}"


def with_domains(folder: Path, domains: int) -> None:
    """Adds so many domains to the example, each with an owner, a deputy, a requester and a runbook of its own; no lead gets copies."""
    numbers = range(domains)
    matrix = folder / "responsibility.yaml"
    text = matrix.read_text().replace("    leads: [lars]\n", "", 1)
    text = text.replace("people:\n", "people:\n" + "".join(_PEOPLE.format(n=n) for n in numbers), 1)
    text = text.replace("\ndomains:\n", "\ndomains:\n" + "".join(_DOMAIN.format(n=n) for n in numbers), 1)
    asking = "[" + ", ".join(["pavel", "priya", *(f"q{n:02}" for n in numbers)]) + "]"
    text = text.replace("members: [pavel, priya]", f"members: {asking}", 1)
    text = text.replace("requesters: [pavel, priya]", f"requesters: {asking}", 1)
    matrix.write_text(text)
    book = (folder / "directory-admin-emergency.md").read_text()
    for n in numbers:
        own = book.replace("id: directory-admin-emergency", f"id: {runbook(n)}", 1)
        own = own.replace("domain: directory", f"domain: many{n:02}", 1)
        (folder / f"{runbook(n)}.md").write_text(own)

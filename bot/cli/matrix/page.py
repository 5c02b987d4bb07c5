"""The responsibility matrix as one self-contained HTML page that prints on A4 and can be annexed to a contract.

No script, no font, no picture and no address of another file: what is printed is what was written. Text of policy files is
escaped everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape

from bot.cli.matrix.forms import Consents, column_words, contract_words, instead_words, letters, owners_words
from bot.cli.reconciliation import last_runs
from bot.cli.reconciliation.last_runs import Runs
from bot.domain.governance import wording
from bot.domain.governance.matrix import Column, Row, rows
from bot.domain.policy.model import Domain, Policy
from bot.domain.policy.on_call import on_call
from bot.domain.policy.people import Person

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #c9d1d9; --paper: #fff; --band: #f3f5f7; --alarm: #a40e26; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9aa5b1; --line: #3d444d; --paper: #0d1117; --band: #161b22; --alarm: #ff7b72; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .4rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p, dl { margin: .35rem 0; } .soft { color: var(--soft); } .vacant { color: var(--alarm); font-weight: 700; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0; table-layout: fixed; }
th, td { border: 1px solid var(--line); padding: .3rem .45rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead th { background: var(--band); } tbody th { font-weight: 600; }
.letters th:first-child { width: 14%; } .letters .r { width: 32%; } .letters .a { width: 22%; } .letters .i { width: 14%; }
th { overflow-wrap: normal; } code { overflow-wrap: anywhere; }
@media screen and (max-width: 34rem) {
  .stacked, .stacked tbody { display: block; } .stacked thead { display: none; } .stacked tr { display: block; border: 1px solid var(--line); margin: 0 0 .4rem; }
  .stacked th:first-child, .stacked td { display: block; width: auto !important; border: 0; padding: .2rem .45rem; }
  .stacked td:empty { display: none; } .stacked td::before { content: attr(data-of) ": "; color: var(--soft); }
  .stacked tbody th { background: var(--band); }
}
dl { display: grid; grid-template-columns: 9rem 1fr; gap: .15rem .8rem; } dt { color: var(--soft); } dd { margin: 0; }
.book, .sign { break-inside: avoid; } .sign td { height: 2.6rem; }
@page { size: A4; margin: 16mm 14mm; }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #333; --line: #888; --paper: #fff; --band: #eee; --alarm: #000; }
  body { max-width: none; padding: 0; font-size: 9.5pt; } h1 { font-size: 16pt; } h2 { font-size: 13pt; break-after: avoid; }
  h3 { break-after: avoid; } section.domain { break-before: page; } section.domain:first-of-type { break-before: auto; }
  thead { display: table-header-group; } tr { break-inside: avoid; }
}
"""
_LETTERS = {"R": "Responsible", "A": "Accountable", "C": "Consulted", "I": "Informed"}


def page(policy: Policy, now: datetime, consents: Consents, runs: Runs | None = None) -> str:
    """The whole page."""
    title = f"Responsibility matrix: {policy.organisation}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">As of {now:%Y-%m-%d} (UTC) · policy <code>{escape(policy.digest)}</code></p>',
        f"<p>{escape(_KEY)}</p>",
        *_providers(policy),
        *(part for domain in policy.domains.values() for part in _domain(policy, domain, now, consents, runs)),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}<title>{escape(title)}</title>\n<style>{_STYLE}</style></head>\n'
        f"<body>\n<main>\n{chr(10).join(body)}\n</main>\n</body>\n</html>\n"
    )


_KEY = (
    "R does it, A answers for it, C is asked for advice, I is informed. Each activity has exactly one A, and it is never a "
    "provider: a provider asks and executes; the organisation decides."
)


def _providers(policy: Policy) -> Iterator[str]:
    yield "<h2>Providers and contracts</h2>"
    listed = [(p.name, contract_words(p)) for p in policy.providers.values()]
    yield from _definitions(listed)


def _domain(policy: Policy, domain: Domain, now: datetime, consents: Consents, runs: Runs | None) -> Iterator[str]:
    found = list(rows(policy, domain, consents))
    yield f'<section class="domain" id="{escape(domain.id)}"><h2>{escape(domain.name)}</h2>'
    if domain.vacant:
        yield f'<p class="vacant">{escape(next(owners_words(policy, domain)))}</p>'
    run = [] if runs is None else [("Reconciled", last_runs.words(runs.get(domain.id)))]
    yield from _definitions([*_people(policy, domain, now), *run])
    yield from _columns(policy, found)
    for row in found:
        yield from _book(policy, row)
    yield from _signatures(policy, domain)
    yield "</section>"


def _people(policy: Policy, domain: Domain, now: datetime) -> Iterator[tuple[str, str]]:
    dated = [line for line in owners_words(policy, domain) if not line.startswith("VACANT")]
    yield "Owner", "; ".join(dated) or wording.person(policy, domain.owner)
    if domain.deputies:
        yield "Deputies", wording.people(policy, domain.deputies)
    if domain.risk_owner:
        yield "Risk owner", wording.person(policy, domain.risk_owner)
    yield "Evidence owner", wording.person(policy, domain.evidence_owner or domain.owner)
    rota = policy.rotas.get(domain.on_call or "")
    if rota is not None:
        present: Person | None = on_call(rota, now)
        yield (
            "On call",
            f"rota {rota.id}: {wording.people(policy, rota.people)}; now {policy.name_of(present) if present else 'nobody'}",
        )
    yield "Channel", domain.channel
    if domain.risk_statement:
        yield "Residual risk", domain.risk_statement


def _columns(policy: Policy, found: Sequence[Row]) -> Iterator[str]:
    """What a provider does by itself, with authorisation, and what must be escalated at once."""
    yield '<table class="stacked"><thead><tr>'
    yield from (f"<th>{escape(words)}</th>" for words in wording.COLUMNS.values())
    yield "</tr></thead><tbody><tr>"
    yield from (f'<td data-of="{words}">{_listed(policy, found, column)}</td>' for column, words in wording.COLUMNS.items())
    yield "</tr></tbody></table>"


def _listed(policy: Policy, found: Sequence[Row], column: Column) -> str:
    listed = [
        f"<p><b>{escape(row.runbook.title)}</b><br>{escape(column_words(policy, row))}</p>"
        for row in found
        if row.column == column
    ]
    return "".join(listed) or "nothing"


def _book(policy: Policy, row: Row) -> Iterator[str]:
    asked = wording.joined([provider.name for provider in row.providers])
    yield f'<div class="book"><h3>{escape(row.runbook.title)} <span class="soft">{escape(row.runbook.id)}</span></h3>'
    yield f'<p class="soft">{escape(wording.COLUMNS[row.column])}; asked for by {escape(asked)}</p>'
    yield '<table class="letters stacked"><thead><tr><th>Activity</th>'
    yield from (
        f'<th class="{letter.lower()}">{letter} <span class="soft">{word}</span></th>' for letter, word in _LETTERS.items()
    )
    yield "</tr></thead><tbody>"
    for activity in row.activities:
        said = letters(policy, activity, row.channel)
        cells = "".join(
            f'<td class="{letter.lower()}" data-of="{letter} {word}">{escape(", ".join(said[letter]))}</td>'
            for letter, word in _LETTERS.items()
        )
        yield f"<tr><th>{escape(activity.name)}</th>{cells}</tr>"
    yield "</tbody></table>"
    yield from (f"<p>{escape(line)}</p>" for line in instead_words(policy, row))
    yield f"<p>Informed: I {escape(row.channel)}</p></div>"


def _signatures(policy: Policy, domain: Domain) -> Iterator[str]:
    yield '<table class="sign"><thead><tr><th>Agreed</th><th>Date</th><th>Signature</th></tr></thead><tbody>'
    signing = [("Owner", None if domain.vacant else domain.owner), ("Risk owner", domain.risk_owner)]
    for role, person in signing:
        if person is not None:
            yield f"<tr><td>{role}: {escape(wording.person(policy, person))}</td><td></td><td></td></tr>"
    yield "</tbody></table>"


def _definitions(listed: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield "<dl>"
    yield from (f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in listed)
    yield "</dl>"

"""The page to begin from: what the pack is about, first of all the access that nobody approved. It loads nothing and prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources

from bot.domain.decision_log.signed_note import Checkpoint
from bot.domain.policy.model import Policy
from bot.reports import charts, controls, tables
from bot.reports.contents import FoundAccess, LastRun, Options, Totals
from bot.reports.requests import RequestLine
from bot.reports.sheet import sheet

_STATES = ("approved", "opened", "denied", "expired", "withdrawn", "refused", "pending", "sealed")
_SHOWN = 200  # lines of the list on the page; the file has all of them


def first_page(
    options: Options, checkpoint: Checkpoint, totals: Totals, seed: str, stamp: str, policy: Policy | None
) -> str:
    """`index.html` of the pack. `policy` names the domains that could have been reconciled."""
    scope = options.scope
    about = [f"{scope.first} to {scope.last}"]
    about += [f"provider {scope.provider}"] if scope.provider else []
    about += [f"domain {scope.domain}"] if scope.domain else []
    title = f"Evidence, {', '.join(about)}"
    parts = [
        f'<p class="stamp">{escape(stamp)}</p>' if stamp else "",
        _unapproved([line for line in totals.lines.values() if line.unapproved], list(totals.found.values())),
        _reconciled(totals.runs, options.scope.domain, policy),
        _numbers(totals),
        _by_month(totals.lines.values()),
        _controls(totals, options.framework),
        _files(totals),
        f"<h2>Sample</h2><p>{min(options.sample, len(totals.lines))} of {len(totals.lines)} requests, in sample.csv: the first in "
        f"the order of SHA-256 of seed and request id. The seed is {'chosen' if options.seed else 'the root of the checkpoint'}: "
        f"<code>{escape(seed)}</code>. Each entry of a sampled request has its bytes in <code>entries/</code> and its proof in "
        "<code>proofs/</code>.</p>",
        "<h2>What this does not show</h2><p>It shows what Countersign recorded. Tickets and a provider’s own telemetry are "
        "references only. It does not show the accounts and sessions in the target systems, nor access that went around Countersign "
        "and was never found. <code>VERIFY.md</code> says how to check it with tools that nobody here wrote.</p>",
        f"<p>Log <code>{escape(checkpoint.origin)}</code>, {checkpoint.size} entries, root <code>{checkpoint.root.hex()}</code>.</p>",
    ]
    return sheet(title, parts)


def instructions() -> str:
    """`VERIFY.md` of the pack."""
    return resources.files("bot.reports").joinpath("pages", "PACK_VERIFY.md").read_text(encoding="utf-8")


def _unapproved(lines: Sequence[RequestLine], found: Sequence[FoundAccess]) -> str:
    """Access that a reconciliation found without a grant, and access that opened without a yes."""
    if not lines and not found:
        return "<h2>Access that nobody approved</h2><p>None that Countersign knows of.</p>"
    rows: list[tuple[object, ...]] = [
        (
            one.case,
            f"no grant in the list of {one.source}: {one.outcome}",
            one.filed_at,
            "",
            one.runbook or one.domain,
            "",
            one.target,
        )
        for one in found[:_SHOWN]
    ]
    told = ("filed_at", "provider", "runbook", "requester", "target")
    rows += [(line.first["case"], line.unapproved, *(line.first[name] for name in told)) for line in lines[:_SHOWN]]
    more = (
        f"<p>{len(lines) - _SHOWN} more in requests.csv, column <code>unapproved</code>.</p>" if len(lines) > _SHOWN else ""
    )
    more += f"<p>{len(found) - _SHOWN} more in findings.csv.</p>" if len(found) > _SHOWN else ""
    head = ("Request", "Why", "Filed", "Provider", "Runbook", "Requester", "Target")
    return f"<h2>Access that nobody approved: {len(found) + len(lines)}</h2>{charts.table(head, rows)}{more}"


def _reconciled(runs: Mapping[str, LastRun], only: str | None, policy: Policy | None) -> str:
    """The last reconciliation of each domain within the pack's days; a domain without one has a line for that."""
    domains = sorted({*runs, *(policy.domains if policy else ())}) if only is None else [only]
    rows = [_run(domain, runs.get(domain)) for domain in domains]
    head = ("Domain", "Last reconciled", "List", "As of", "Accesses", "Without a grant", "Grants without access")
    covered = sum(domain in runs for domain in domains)
    title = f"<h2>Reconciliation: {covered} of {len(domains)} domains covered</h2>"
    return title + charts.table(head, rows)


def _run(domain: str, run: LastRun | None) -> tuple[object, ...]:
    if run is None:
        return (domain, "never in these days", "", "", "", "", "")
    counts = (run.counts.get(name, 0) for name in ("lines", "access_without_grant", "grant_without_access"))
    return (domain, run.ts, run.source, run.as_of, *counts)


def _numbers(totals: Totals) -> str:
    states = Counter(line.state for line in totals.lines.values())
    by_kind = Counter(str(line.first["kind"]) for line in totals.lines.values())
    kinds = sorted(by_kind)
    rows = [(state, states[state]) for state in _STATES if states[state]]
    return (
        f"<h2>Requests: {len(totals.lines)}</h2>{charts.table(('Outcome', 'Requests'), rows)}"
        f"{charts.table(('Kind', 'Requests'), [(kind.replace('_', ' '), by_kind[kind]) for kind in kinds])}"
    )


def _by_month(lines: Iterable[RequestLine]) -> str:
    found: dict[str, Counter[str]] = {}
    for line in lines:
        found.setdefault(str(line.first["filed_at"])[:7], Counter())[line.state] += 1
    months = sorted(found)
    states = [state for state in _STATES if any(found[month][state] for month in months)]
    if not months:
        return ""
    return charts.bars("Requests by month and outcome", "Month", months, {s: [found[m][s] for m in months] for s in states})


def _controls(totals: Totals, framework: str | None) -> str:
    rows = [
        (row["framework"], row["control"], row["demand"], row["evidence"], row["missing"], row["not_shown"])
        for row in controls.rows(totals.counts, framework)
    ]
    head = ("Framework", "Control", "Demand", "Records that map to it", "Missing", "Not shown here")
    return f"<h2>Controls</h2><p>No conclusions are drawn.</p>{charts.table(head, rows)}"


def _files(totals: Totals) -> str:
    rows = [(f"{name}.csv, {name}.json", totals.counts[name]) for name in tables.FILES]
    return f"<h2>Files</h2>{charts.table(('File', 'Rows'), rows)}"

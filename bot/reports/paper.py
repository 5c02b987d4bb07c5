"""A report as a title, flags and tables: printed as text, as JSON with every figure, or as one page that prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from bot.reports import charts
from bot.reports.sheet import sheet

_SOURCE = "Made from the decision log alone. Tickets and a provider’s own telemetry are references only."


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a title. `columns` are the names in JSON, `chart` names those whose numbers are drawn by the first column."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]
    chart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """`flags` say in words what somebody should look at; `as_of` is the time of the last entry that was read."""

    title: str
    as_of: str
    flags: tuple[str, ...]
    figures: Mapping[str, int]
    tables: tuple[Table, ...]

    def as_json(self) -> dict[str, object]:
        """Every figure and row, JSON-able."""
        rows = {table.title: [dict(zip(table.columns, row, strict=True)) for row in table.rows] for table in self.tables}
        said = {name.lower().replace(" ", "_"): found for name, found in rows.items()}
        return {"title": self.title, "as_of": self.as_of, "flags": list(self.flags), **self.figures, **said}


def lines(paper: Paper) -> Iterator[str]:
    """The paper for a terminal."""
    yield f"{paper.title}, as of {paper.as_of}"
    yield from (f"! {flag}" for flag in paper.flags)
    yield ""
    yield from (f"{_words(name)}: {count}" for name, count in paper.figures.items())
    for table in paper.tables:
        yield from ("", f"{table.title}: {len(table.rows)}")
        for row in table.rows:
            yield "  " + ", ".join(f"{_words(c).lower()} {v}" for c, v in zip(table.columns, row, strict=True) if v != "")


def page(paper: Paper) -> str:
    """The paper as one page that loads nothing."""
    flagged = "".join(f"<li>{escape(flag)}</li>" for flag in paper.flags)
    parts = [
        f"<p>As of {escape(paper.as_of[:19].replace('T', ' '))} UTC.</p>",
        f'<ul class="stamp">{flagged}</ul>' if flagged else "<p>Nothing stands out.</p>",
        charts.table(("Figure", "Value"), [(_words(name), count) for name, count in paper.figures.items()]),
        *(_part(table) for table in paper.tables),
        f"<p>{_SOURCE}</p>",
    ]
    return sheet(paper.title, parts)


def _part(table: Table) -> str:
    if not table.rows:
        return f"<h2>{escape(table.title)}</h2><p>None.</p>"
    listed = charts.table([_words(c) for c in table.columns], table.rows)
    if table.chart:
        labels = [str(row[0]) for row in table.rows]
        places = {name: table.columns.index(name) for name in table.chart}
        series = {_words(name): [int(str(row[at])) for row in table.rows] for name, at in places.items()}
        listed = charts.bars(table.title, _words(table.columns[0]), labels, series, beside=listed)
    return f"<h2>{escape(table.title)}</h2>{listed}"


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()

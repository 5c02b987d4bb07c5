"""A request's whole way is one trace, of constants and the request's id; without an address nothing is sent."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bot.domain.errors import StorageError
from bot.runtime import otel
from bot.runtime.otel import RequestTraces
from tests.bot.building import MINUTE, OWNER, PE1
from tests.bot.office import Office

PRIVATE = ("srv-secret", "disk full", PE1.user, OWNER.user, "Olga", "INC1")


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def traced(office: Office, exported: InMemorySpanExporter) -> None:
    office.service.transactions.tracing = RequestTraces(SimpleSpanProcessor(exported))


def texts(spans: tuple[ReadableSpan, ...]) -> str:
    return " ".join(
        f"{s.name} {dict(s.attributes or {})} {s.status.description} {[e.attributes for e in s.events]}" for s in spans
    )


async def test_a_requests_way_is_one_trace_under_its_first_span(office: Office, exported: InMemorySpanExporter) -> None:
    traced(office, exported)
    one = await office.file(PE1, target="srv-secret")
    await office.forward(6 * MINUTE)
    await office.click(OWNER, one)
    other = await office.file(PE1, target="srv-2")
    spans = exported.get_finished_spans()
    traces = {(s.attributes or {})["countersign.request"]: set[int]() for s in spans}
    for span in spans:
        assert span.context is not None
        traces[(span.attributes or {})["countersign.request"]].add(span.context.trace_id)
    assert set(traces) == {one, other}
    assert [len(ids) for ids in traces.values()] == [1, 1]
    mine = [s for s in spans if (s.attributes or {})["countersign.request"] == one]
    roots = [s for s in mine if s.parent is None]
    assert [(s.name, (s.attributes or {})["countersign.command"]) for s in roots] == [("take in", "file")]
    assert roots[0].context is not None
    assert {s.parent.span_id for s in mine if s.parent is not None} == {roots[0].context.span_id}
    assert {s.name for s in mine} == {"take in", "carry out", "committed"}
    entries = " ".join(str((s.attributes or {}).get("countersign.entries", "")) for s in mine)
    assert all(word in entries for word in ("request.filed", "step.fired", "request.approved", "grant.opened"))


async def test_another_process_continues_the_same_trace(office: Office, exported: InMemorySpanExporter) -> None:
    traced(office, exported)
    case_id = await office.file(PE1)
    traced(office, exported)  # as a replica that took over
    await office.click(OWNER, case_id)
    assert len({s.context.trace_id for s in exported.get_finished_spans() if s.context is not None}) == 1


async def test_nothing_in_it_names_a_person_or_holds_a_text(office: Office, exported: InMemorySpanExporter) -> None:
    traced(office, exported)
    case_id = await office.file(PE1, target="srv-secret", reason="disk full")
    await office.click(OWNER, case_id)
    said = texts(exported.get_finished_spans())
    assert case_id in said
    assert [word for word in PRIVATE if word in said] == []


def test_of_an_error_only_its_kind_is_reported(exported: InMemorySpanExporter) -> None:
    traces = RequestTraces(SimpleSpanProcessor(exported))
    with pytest.raises(StorageError), traces.span("carry out", "R-00000001"):
        raise StorageError("Olga's laptop")
    (span,) = exported.get_finished_spans()
    assert (span.status.description, span.events) == ("StorageError", ())


def test_what_is_about_no_request_is_not_reported(exported: InMemorySpanExporter) -> None:
    with RequestTraces(SimpleSpanProcessor(exported)).span("carry out", None):
        pass
    assert exported.get_finished_spans() == ()


async def test_a_collector_gets_it_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = list[bytes]()

    async def take(request: web.BaseRequest) -> web.Response:
        taken.append(await request.read())
        return web.Response()

    runner = web.ServerRunner(web.Server(take))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    traces = otel.sending_to(f"http://127.0.0.1:{port}/v1/traces")
    with traces.span("take in", "R-00000001", begins=True, command="file"):
        pass
    await asyncio.to_thread(traces.flush)
    await runner.cleanup()
    assert b"R-00000001" in taken[0]

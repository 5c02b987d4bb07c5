"""OpenTelemetry: the whole way of a request as one trace, whichever replica took a step (the extra `countersign[otel]`).

The trace's id and that of its first span follow from the request's id, so nothing is stored or carried along for it. Attributes are
the request's id and constants of ours; of an error only the name of its class.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, set_span_in_context

from bot import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

_first: ContextVar[SpanContext | None] = ContextVar("first", default=None)


class _Ids(RandomIdGenerator):
    """The ids of a request's first span where one begins, else random ones."""

    def generate_trace_id(self) -> int:
        first = _first.get()
        return super().generate_trace_id() if first is None else first.trace_id

    def generate_span_id(self) -> int:
        first = _first.get()
        return super().generate_span_id() if first is None else first.span_id


class RequestTraces:
    """`bot.ports.tracing.Tracing`, sent by `processor`."""

    def __init__(self, processor: SpanProcessor) -> None:
        resource = Resource.create({"service.name": "countersign", "service.version": __version__})
        provider = TracerProvider(resource=resource, id_generator=_Ids())
        provider.add_span_processor(processor)
        self.flush = provider.force_flush  # sends what waits
        self._tracer = provider.get_tracer("countersign", __version__)

    @contextmanager
    def span(self, name: str, request: str | None, *, begins: bool = False, **about: str | int) -> Iterator[None]:
        if request is None:
            yield
            return
        root = _root(request)
        above = None if begins else set_span_in_context(NonRecordingSpan(root))
        attributes = {"countersign.request": request} | {f"countersign.{key}": value for key, value in about.items()}
        mark = _first.set(root if begins else None)
        try:
            span = self._tracer.start_span(name, above, attributes=attributes)
        finally:
            _first.reset(mark)
        try:
            yield
        except Exception as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
        finally:
            span.end()


def _root(request: str) -> SpanContext:
    digest = sha256(f"countersign {request}".encode()).digest()
    trace, span = int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
    return SpanContext(trace, span, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


@cache
def sending_to(url: str) -> RequestTraces:
    """Traces over OTLP/HTTP to this address; one for the life of the process."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return RequestTraces(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))

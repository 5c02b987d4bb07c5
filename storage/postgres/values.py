"""How Python values reach PostgreSQL, so that each statement is prepared once: text as text, every integer as bigint."""

from __future__ import annotations

import re
from collections.abc import Mapping

from psycopg import Connection, postgres
from psycopg.adapt import Dumper
from psycopg.types.string import StrDumper

_PARAMETER = re.compile(r"'(?:[^']|'')*'|::[a-z]\w*|:([a-z_]\w*)|%")
_BIGINT = postgres.types["int8"].oid


class BigintDumper(Dumper):
    """An integer or a truth value as bigint: the schema knows no other number."""

    oid = _BIGINT

    def dump(self, obj: int) -> bytes:
        return b"%d" % int(obj)

    def quote(self, obj: int) -> bytes:
        """Bare digits, as FETCH wants its count."""
        return self.dump(obj)


def adapt(connection: Connection[object]) -> None:
    """Registers what this module describes on one connection."""
    for kind in (int, bool):
        connection.adapters.register_dumper(kind, BigintDumper)
    connection.adapters.register_dumper(str, StrDumper)


def translated(statements: Mapping[str, str]) -> Mapping[str, str]:
    """Named SQL with psycopg's placeholders: `:name` becomes `%(name)s`, except in strings and casts; `%` is doubled."""
    return {name: _PARAMETER.sub(_placeholder, sql) for name, sql in statements.items()}


def _placeholder(found: re.Match[str]) -> str:
    return f"%({found[1]})s" if found[1] else found[0].replace("%", "%%")

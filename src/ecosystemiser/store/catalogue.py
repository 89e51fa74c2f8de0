"""What PostgreSQL's own catalogue tells about our tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, func, inspect, literal, select
from sqlalchemy.exc import DBAPIError

from ecosystemiser.errors import Finding
from ecosystemiser.store.dialect import Facts, RowCount
from ecosystemiser.store.schema import metadata

__all__ = [
    "broken_references",
    "continue_sequences",
    "count_rows",
    "facts",
    "findings",
    "lock_tables",
    "relations_like_ours",
    "triggered_tables",
]

_COUNTED_ROWS = 100_000
_OUR_NAMES = sorted({*metadata.tables, "simulation_runs"})

_RELATIONS = """
SELECT c.relname, n.nspname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_catalog.pg_table_is_visible(c.oid)
"""
_TRIGGERED = """
SELECT DISTINCT c.oid::regclass::text
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
WHERE c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p') AND NOT t.tgisinternal AND t.tgenabled <> 'D'
  AND pg_catalog.pg_table_is_visible(c.oid)
"""
_REFERENCES = """
SELECT c.conname, c.conrelid::regclass::text, c.confrelid::regclass::text, c.convalidated,
  (SELECT array_agg(quote_ident(a.attname) ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k (attnum, n)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum),
  (SELECT array_agg(quote_ident(a.attname) ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k (attnum, n)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum)
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
WHERE c.contype = 'f' AND t.relname = ANY(%(names)s) AND pg_catalog.pg_table_is_visible(t.oid)
ORDER BY 2, 1
"""
_INDEXES = """
SELECT i.indexrelid::regclass::text, t.relname, i.indisvalid, i.indexrelid::bigint, m.amname
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = c.relam
WHERE t.relname = ANY(%(names)s) AND pg_catalog.pg_table_is_visible(t.oid)
ORDER BY 1
"""
_SEQUENCES = """
SELECT c.relname, a.attname, s.oid::regclass::text
FROM pg_catalog.pg_class s
JOIN pg_catalog.pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass
  AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE s.relkind = 'S' AND c.relname = ANY(%(names)s) AND pg_catalog.pg_table_is_visible(c.oid)
ORDER BY 1, 2
"""
_MAY_CHECK_INDEXES = """
SELECT has_function_privilege(p.oid, 'EXECUTE') FROM pg_catalog.pg_proc p
WHERE p.proname = 'bt_index_check' AND p.pronargs = 2 AND pg_catalog.pg_function_is_visible(p.oid)
"""
_SIZE = """
SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::bigint FROM pg_catalog.pg_class c
WHERE c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p', 'm') AND pg_catalog.pg_table_is_visible(c.oid)
"""
_DURABLE = {
    "fsync": "a power cut may damage the database",
    "full_page_writes": "a power cut may damage the database",
}


def _ours(connection: Connection, query: str) -> list[Any]:
    return list(connection.exec_driver_sql(query, {"names": _OUR_NAMES}))


def relations_like_ours(connection: Connection) -> dict[str, str]:
    """Return the schema of each table or view which one of our names leads to."""
    return dict(_ours(connection, _RELATIONS))


def triggered_tables(connection: Connection) -> list[str]:
    """Return those of our tables that have triggers which are on, quoted."""
    return [name for (name,) in _ours(connection, _TRIGGERED)]


def lock_tables(connection: Connection) -> None:
    """Let nobody write into our tables until the transaction ends; readers go on."""
    quote = connection.dialect.identifier_preparer.quote
    present = set(inspect(connection).get_table_names())
    tables = [quote(table.name) for table in metadata.sorted_tables if table.name in present]
    tables += [quote("simulation_runs")] if "simulation_runs" in present - set(metadata.tables) else []
    if tables:
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN SHARE ROW EXCLUSIVE MODE")


def continue_sequences(connection: Connection, table: Table) -> None:
    """Let the sequences of `table` go on above the largest number that is there."""
    for owner, column, sequence in _ours(connection, _SEQUENCES):
        if owner == table.name:
            largest = func.coalesce(select(func.max(table.c[column])).scalar_subquery(), 0)
            connection.execute(select(func.setval(sequence, largest + 1, False)))  # noqa: FBT003 - setval's own


def broken_references(connection: Connection) -> list[Finding]:
    """Return where rows refer to rows that are not there, or might because nobody ever looked."""
    found = []
    for name, table, target, is_validated, columns, keys in _ours(connection, _REFERENCES):
        on = " AND ".join(f"r.{column} = k.{key}" for column, key in zip(columns, keys, strict=True))
        known = " AND ".join(f"r.{column} IS NOT NULL" for column in columns)
        missing = f"{known} AND NOT EXISTS (SELECT FROM {target} k WHERE {on})"
        query = f"SELECT count(*) FROM {table} r WHERE {missing}"  # noqa: S608 - names as the server quoted them
        number = connection.exec_driver_sql(query).scalar() or 0
        if number:
            message = f"{number:,} rows refer to rows of {target} that are not there"
            found.append(Finding(message, "restore a backup", table))
        elif not is_validated:
            message = f"the constraint {name} was never validated"
            found.append(Finding(message, f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}", table))
    return found


def findings(connection: Connection) -> Iterator[Finding]:
    """Yield what is wrong with the server's settings, with indexes, and with sequences."""
    for setting, danger in _DURABLE.items():
        if connection.exec_driver_sql(f"SHOW {setting}").scalar() == "off":
            yield Finding(f"is off on the server: {danger}", f"set {setting} = on in postgresql.conf", setting)
    if (encoding := connection.exec_driver_sql("SHOW server_encoding").scalar()) != "UTF8":
        yield Finding("cannot hold every text", "copy into a database with UTF8", "server_encoding", encoding)
    yield from _damaged_pages(connection)
    yield from _wrong_indexes(connection)
    for table, column, sequence in _ours(connection, _SEQUENCES):
        largest = connection.scalar(select(func.max(metadata.tables[table].c[column]))) or 0
        query = f"SELECT last_value + is_called::int FROM {sequence}"  # noqa: S608 - as above
        if (connection.exec_driver_sql(query).scalar() or 0) <= largest:
            remedy = f"SELECT setval('{sequence}', {largest})"
            yield Finding(f"would give numbers that are taken: {largest} is there", remedy, sequence)


def _damaged_pages(connection: Connection) -> Iterator[Finding]:
    query = "SELECT coalesce(checksum_failures, 0) FROM pg_catalog.pg_stat_database WHERE datname = current_database()"
    number = connection.exec_driver_sql(query).scalar() or 0
    if number:
        yield Finding(f"the server counted {number} damaged pages", "restore a backup; check its disk", "checksums")


def _wrong_indexes(connection: Connection) -> Iterator[Finding]:
    may_check = bool(connection.exec_driver_sql(_MAY_CHECK_INDEXES).scalar())
    for index, table, is_valid, number, method in _ours(connection, _INDEXES):
        wrong = "is not valid" if not is_valid else ""
        if is_valid and may_check and method == "btree":
            wrong = _checked_index(connection, number)
        if wrong:
            yield Finding(f"its index {index} {wrong}", f"REINDEX INDEX {index}", table)


def _checked_index(connection: Connection, number: int) -> str:
    """Return what the extension amcheck says against an index; nothing where it is sound."""
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(f"SELECT bt_index_check({number}::regclass, true)")
    except DBAPIError as error:
        savepoint.rollback()
        return f"is damaged: {str(error.orig).splitlines()[0]}"
    savepoint.commit()
    return ""


def facts(connection: Connection) -> Facts:
    """Return the server's version, the size of our tables with their indexes, and settings that matter."""

    def show(name: str) -> str:
        return str(connection.exec_driver_sql(f"SHOW {name}").scalar())

    ((size,),) = _ours(connection, _SIZE)
    return Facts(
        engine_version=show("server_version"),
        size_bytes=int(size),
        journal_mode="wal",
        settings={
            "schema": str(connection.exec_driver_sql("SELECT current_schema()").scalar()),
            **{
                name: show(name)
                for name in ("server_encoding", "synchronous_commit", "fsync", "data_checksums", "wal_level")
            },
        },
    )


def count_rows(connection: Connection, table: Table) -> RowCount:
    """Return how many rows `table` has; of a large one, about how many as of the last ANALYZE."""
    limited = select(literal(1)).select_from(table).limit(_COUNTED_ROWS + 1).subquery()
    rows = connection.scalar(select(func.count()).select_from(limited)) or 0
    if rows <= _COUNTED_ROWS:
        return RowCount(rows, is_exact=True)
    name = connection.dialect.identifier_preparer.format_table(table)
    query = "SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = %(name)s::regclass"
    estimated = connection.exec_driver_sql(query, {"name": name}).scalar() or 0
    return RowCount(max(rows, int(estimated)), is_exact=False)

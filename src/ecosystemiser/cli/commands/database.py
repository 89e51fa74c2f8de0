"""Look after the database: facts, checks, upgrades, backups, copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosystemiser.cli.options import DbOption, FormatOption, log_of, read_log_of
from ecosystemiser.cli.progress import counting
from ecosystemiser.cli.tables import Format, as_csv, as_json, as_pairs, terminal_width
from ecosystemiser.cli.text import number_of, printable, size, wrapped

if TYPE_CHECKING:
    from ecosystemiser.services.database_check import CheckedPart

__all__ = [
    "back_up_database",
    "check_database",
    "copy_database",
    "replay_spool",
    "show_database",
    "upgrade_database",
]


def show_database(context: typer.Context, *, style: FormatOption = Format.TABLE, db: DbOption = None) -> None:
    """Show where the database is, its engine, schema, size, and what it holds.

    \b
    Examples:
      ecosystemiser db info
      ecosystemiser db info --db postgresql://me@server/energy
    """
    from ecosystemiser.cli.database_report import info_record, info_report
    from ecosystemiser.services.database_care import describe_database

    with read_log_of(context, db) as log:
        found = describe_database(log)
        record = info_record(found, log.get_statistics(), len(log.deleted_runs()))
    if style is Format.TABLE:
        typer.echo(info_report(record))
    elif style is Format.JSON:
        typer.echo(as_json(record))
    else:
        plain = {name: value for name, value in record.items() if not isinstance(value, dict)}
        typer.echo(as_csv([plain], list(plain)))


def check_database(
    context: typer.Context,
    *,
    files: Annotated[
        bool, typer.Option("--files", help="Read every hourly file too, and compare its hash with the log.")
    ] = False,
    mend: Annotated[bool, typer.Option("--mend", help="Set counts right that are wrong.")] = False,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Look for all that can be wrong with the database and its files.

    Its tables, its counts, the hourly files that completed runs name. Runs
    whose process has died are closed as interrupted; processes on other
    machines are watched for three of their beats, half a minute. Exits with
    1 where something is wrong.

    \b
    Examples:
      ecosystemiser db check
      ecosystemiser db check --files
      ecosystemiser db check --mend
    """
    from ecosystemiser.services import database_check
    from ecosystemiser.services.database_care import is_there

    found = []
    with read_log_of(context, db) as log, counting() as tell:
        if not is_there(log):
            typer.echo(f"There is no database at {log.location} yet; the first run creates it.", err=True)
            return
        parts = database_check.check_database(log, mends=mend, reads_files=files, on_progress=tell)
        for part in parts:
            found.append(part)
            if style is Format.TABLE:
                typer.echo(_part(part))
    if style is not Format.TABLE:
        rows = [_record(part) for part in found]
        cells = [{**row, "findings": "\n".join(map(str, part.findings))} for row, part in zip(rows, found, strict=True)]
        typer.echo(as_json(rows) if style is Format.JSON else as_csv(cells, list(rows[0])))
    wrong = sum(len(part.findings) for part in found)
    if style is Format.TABLE:
        typer.echo(f"\n{number_of(wrong, 'thing')} wrong: see above what to do." if wrong else "\nNothing is wrong.")
    if wrong:
        raise typer.Exit(1)


def upgrade_database(context: typer.Context, *, db: DbOption = None) -> None:
    """Bring the database to the schema of this version, after a backup.

    Whatever writes does so by itself. An older version of the program cannot
    use the database then.

    \b
    Examples:
      ecosystemiser db upgrade
      ecosystemiser db upgrade --db runs.sqlite
    """
    with log_of(context, db) as log:
        done = log.migrate_to_enhanced_schema()
        place = log.location
    if done.before is None:
        typer.echo(f"Created {place}, schema {done.after}.")
    elif done.backup is None:
        typer.echo(f"{place} is up to date: schema {done.after}.")
    else:
        typer.echo(f"{place}: schema {done.before} upgraded to {done.after}.\nBackup: {done.backup}")


def back_up_database(
    context: typer.Context,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="File to write; else a name that tells the time.", show_default=False),
    ] = None,
    *,
    db: DbOption = None,
) -> None:
    """Write a backup into FILE, a SQLite file, while others go on writing.

    Of a database on a server too. It opens like any database: --db FILE. Its
    checksum stands beside it. Hourly files are not in it.

    \b
    Examples:
      ecosystemiser db backup
      ecosystemiser db backup before-the-move.sqlite
    """
    from ecosystemiser.services.database_care import back_up

    with read_log_of(context, db) as log, counting() as tell:
        done = back_up(log, file, lambda part, total: tell("Writing the backup", part, total))
    typer.echo(f"Backup: {done.path} ({size(done.bytes)})\nSHA-256 in {done.checksum_path.name}")


def copy_database(
    source: Annotated[str, typer.Argument(metavar="FROM", help="A SQLite file or a URL.", show_default=False)],
    target: Annotated[str, typer.Argument(metavar="TO", help="A new or empty database.", show_default=False)],
) -> None:
    """Copy all runs and studies into another database, of either engine.

    Every table is read back and compared. The hourly files stay where they
    are. Give passwords by PGPASSWORD or ~/.pgpass: other users of this
    machine can see what stands in a command.

    \b
    Examples:
      ecosystemiser db copy data/simulation_index.sqlite shared.sqlite
      ecosystemiser db copy runs.sqlite postgresql://me@server/energy
    """
    from ecosystemiser.services.database_care import copy_database as copy

    with counting() as tell:
        done = copy(source, target, lambda part, total: tell("Copying rows", part, total))
    tables = ", ".join(f"{table.table} {table.rows:,}" for table in done.tables if table.rows) or "none"
    told = [("from", str(done.source)), ("to", str(done.target)), ("rows", tables)]
    typer.echo(f"{number_of(done.rows, 'row')} copied; all compare equal.\n{as_pairs(told)}")


def replay_spool(
    context: typer.Context,
    spool: Annotated[str, typer.Argument(metavar="SPOOL", help="The file that the message named.", show_default=False)],
    *,
    db: DbOption = None,
) -> None:
    """Log the outcomes that were kept while the database was away.

    A study whose server stays away for a minute ends and names its SPOOL.
    Doing it twice changes nothing more; SPOOL is removed at the end.

    \b
    Examples:
      ecosystemiser db replay data/results/sizing.4711.spool.jsonl
    """
    from pathlib import Path

    from ecosystemiser.services.outcome_log import replay_spool as replay

    with log_of(context, db) as log:
        done = replay(log, Path(spool))
    typer.echo(f"{number_of(done.logged, 'outcome')} logged, {done.already:,} in the log already.")
    if done.as_new_runs:
        typer.echo(f"Logged as attempts of their own, as their runs had been closed: {', '.join(done.as_new_runs)}")


def _part(part: CheckedPart) -> str:
    width = terminal_width()
    head = f"{'✓' if part.is_sound else '✕'} {part.subject}: {printable(part.found)}"
    return "\n".join([head, *(wrapped(str(each), width, "    ", keeps_words=True) for each in part.findings)])


def _record(part: CheckedPart) -> dict[str, Any]:
    findings = [str(finding) for finding in part.findings]
    return {"subject": part.subject, "is_sound": part.is_sound, "found": part.found, "findings": findings}

"""Take runs out of the log, bring them back, and remove them for good."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosystemiser.cli.asking import ask
from ecosystemiser.cli.options import DbOption, RunsArgument, WhereOption, YesOption, log_of, working
from ecosystemiser.cli.tables import Column, as_table, terminal_width
from ecosystemiser.cli.text import local_time, number_of, printable, size, wrapped
from ecosystemiser.errors import Finding, InputError

if TYPE_CHECKING:
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
    from ecosystemiser.services.purging import Purged

__all__ = ["delete_runs"]

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_AGE = re.compile(r"(\d{1,5})([hdw])")
_MOST_TOLD = 20


def delete_runs(
    context: typer.Context,
    runs: RunsArgument = None,
    *,
    where: WhereOption = None,
    yes: YesOption = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Bring deleted runs back; without RUN, what was deleted last.")
    ] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Remove deleted runs and their files for good; without RUN, all.")
    ] = False,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="With --purge: only what was deleted so long ago, as 30d or 12h.")
    ] = None,
    lists: Annotated[bool, typer.Option("--list", help="List what was deleted and can be brought back.")] = False,
    db: DbOption = None,
) -> None:
    """Delete runs. They can be brought back, files and all, until purged.

    Asks before it does; where nobody can answer it needs --yes. A run that
    is under way is not deleted.

    --purge removes the folder of a run only where it holds nothing but what
    the run wrote. A copy of the database names the same folders.

    \b
    Examples:
      ecosystemiser runs delete last
      ecosystemiser runs delete --where "status = 'failed'" --yes
      ecosystemiser runs delete --undo
      ecosystemiser runs delete --purge --older-than 30d
    """
    _check({"--undo": undo, "--purge": purge, "--list": lists}, where, older_than)
    words = runs or []
    with log_of(context, db) as log:
        if lists:
            typer.echo(_listed(log.deleted_runs()))
        elif undo:
            _restore(log, words)
        elif purge:
            _purge(log, words, older_than, is_agreed=yes)
        else:
            _delete(log, words, where, is_agreed=yes)


def _check(acts: dict[str, bool], where: str | None, older_than: str | None) -> None:
    """Raise InputError for options that do not go together."""
    asked = [name for name, is_asked in acts.items() if is_asked]
    findings = []
    if len(asked) > 1:
        findings.append(Finding("are several things at once", f"give one of {', '.join(acts)}", " ".join(asked)))
    if asked and where is not None:
        remedy = "name the runs, or leave it out"
        findings.append(Finding(f"cannot be asked of deleted runs, as {asked[0]} needs it", remedy, "--where"))
    if older_than is not None and not acts["--purge"]:
        findings.append(Finding("goes with --purge", "add --purge, or leave it out", "--older-than"))
    if findings:
        raise InputError(findings)


def _delete(log: DatabaseMetadataService, words: list[str], where: str | None, *, is_agreed: bool) -> None:
    from ecosystemiser.services.run_choice import chosen_runs

    chosen = chosen_runs(log, words, where)
    if chosen.running and where is None:
        remedy = "stop it first, or wait until it has ended: ecosystemiser runs cancel RUN"
        raise InputError([Finding("is running", remedy, "RUN", run_id) for run_id in chosen.running])
    if chosen.running:
        typer.echo(f"{number_of(len(chosen.running), 'run')} under way: left alone.", err=True)
    if not chosen.ended:
        typer.echo("No run passes; nothing was deleted.")
        return
    ask(f"Delete {number_of(len(chosen.ended), 'run')}?", is_agreed=is_agreed)
    log.delete_runs(chosen.ended)
    typer.echo(
        f"{number_of(len(chosen.ended), 'run')} deleted.\n"
        "Bring back:       ecosystemiser runs delete --undo\n"
        "Remove for good:  ecosystemiser runs delete --purge"
    )


def _restore(log: DatabaseMetadataService, words: list[str]) -> None:
    from ecosystemiser.services.run_choice import deleted_named

    deleted = log.deleted_runs()
    if not deleted:
        typer.echo("No run is deleted; nothing was brought back.")
        return
    last = [row["run_id"] for row in deleted if row["deleted_at"] == deleted[0]["deleted_at"]]
    wanted = deleted_named([row["run_id"] for row in deleted], words) if words else last
    count = log.restore_runs(wanted)
    left = len(deleted) - count
    more = f" {number_of(left, 'run')} more can be: ecosystemiser runs delete --list" if left else ""
    typer.echo(f"{number_of(count, 'run')} brought back.{more}")


def _purge(log: DatabaseMetadataService, words: list[str], older_than: str | None, *, is_agreed: bool) -> None:
    from ecosystemiser.services.purging import purge_runs
    from ecosystemiser.services.run_choice import deleted_named

    deleted = log.deleted_runs(None if older_than is None else datetime.now(UTC) - _age(older_than))
    if words:
        wanted = set(deleted_named([row["run_id"] for row in deleted], words))
        deleted = [row for row in deleted if row["run_id"] in wanted]
    if not deleted:
        typer.echo("No deleted run is to be purged; nothing was removed.")
        return
    ask(f"Remove {number_of(len(deleted), 'run')} and the files for good?", is_agreed=is_agreed)
    with working(f"Removing {number_of(len(deleted), 'run')}"):
        purged = purge_runs(log, deleted)
    typer.echo(_told(purged, terminal_width()))


def _age(text: str) -> timedelta:
    found = _AGE.fullmatch(text)
    if found is None:
        remedy = "write a number and h, d or w, as 30d for thirty days"
        raise InputError([Finding("is no age", remedy, "--older-than", text)])
    return int(found[1]) * _UNITS[found[2]]


def _told(purged: Purged, width: int) -> str:
    folders = number_of(purged.folders, "folder")
    lines = [f"{number_of(purged.runs, 'run')} removed for good, with {folders} ({size(purged.bytes)})."]
    for left in purged.left[:_MOST_TOLD]:
        lines += [f"! left: {printable(left.folder)}", wrapped(left.reason, width, "  ")]
    if len(purged.left) > _MOST_TOLD:
        lines.append(f"! left: {len(purged.left) - _MOST_TOLD:,} more folders")
    if purged.in_use:
        kept = ", ".join(purged.in_use[:5]) + (", …" if len(purged.in_use) > 5 else "")
        told = f"! kept: {number_of(len(purged.in_use), 'run')} whose results others took over: {kept}."
        lines.append(wrapped(f"{told} Delete those first (filter: reused_from is not null).", width))
    return "\n".join(lines)


def _listed(deleted: list[dict[str, Any]]) -> str:
    if not deleted:
        return "No run is deleted."
    columns = [
        Column("run", [row["run_id"] for row in deleted]),
        Column("deleted", [local_time(row["deleted_at"]) for row in deleted]),
    ]
    return as_table(columns)

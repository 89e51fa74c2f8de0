"""Words and notes that people put on runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ecosystemiser.cli.options import DbOption, RunArgument, RunsArgument, WhereOption, log_of, read_log_of
from ecosystemiser.cli.text import printable
from ecosystemiser.errors import Finding, InputError

__all__ = ["note_run", "tag_runs"]

_STDIN = "-"


def tag_runs(
    context: typer.Context,
    runs: RunsArgument = None,
    *,
    where: WhereOption = None,
    add: Annotated[
        list[str] | None, typer.Option("--add", metavar="WORD", help="Give this tag; may be repeated.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="WORD", help="Take this tag off; may be repeated.")
    ] = None,
    db: DbOption = None,
) -> None:
    """Give runs tags or take some off; without --add and --remove show them.

    Filters find runs by them: tag = 'good'.

    \b
    Examples:
      ecosystemiser runs tag last --add good
      ecosystemiser runs tag --where "study_id = 'sizing'" --add paper
      ecosystemiser runs tag last last~1 --add base --remove draft
    """
    from ecosystemiser.services.run_choice import chosen_runs

    is_changing = bool(add or remove)
    with (log_of if is_changing else read_log_of)(context, db) as log:
        ids = chosen_runs(log, runs or [], where).all
        if is_changing:
            log.tag_runs(ids, add=add or (), remove=remove or ())
        tags = log.get_tags(ids) if not is_changing or len(ids) == 1 else {}
    if len(ids) == 1 or not is_changing:
        lines = [f"{printable(run_id)}: {printable(', '.join(tags[run_id])) or 'no tags'}" for run_id in ids]
        typer.echo("\n".join(lines) or "No run passes.")
    else:
        told = [f"{word} {', '.join(tags)}" for word, tags in (("given", add), ("taken off", remove)) if tags]
        typer.echo(f"{len(ids):,} runs: {printable('; '.join(told))}" if ids else "No run passes; nothing was tagged.")


def note_run(
    context: typer.Context,
    run: RunArgument,
    text: Annotated[
        str | None,
        typer.Argument(metavar="[TEXT]", help="The note, or - to read it from the input.", show_default=False),
    ] = None,
    *,
    clear: Annotated[bool, typer.Option("--clear", help="Take the note away.")] = False,
    db: DbOption = None,
) -> None:
    """Write a note on a run, in the place of the one it has; or show it.

    Filters find runs by it: note like '%roof%'.

    \b
    Examples:
      ecosystemiser runs note last "larger roof, old tariff"
      ecosystemiser runs note last - < notes.txt
      ecosystemiser runs note last
      ecosystemiser runs note last --clear
    """
    from ecosystemiser.services.run_words import run_named

    if clear and text is not None:
        raise InputError([Finding("takes the note away, and a text is given", "leave one of the two out", "--clear")])
    is_changing = clear or text is not None
    with (log_of if is_changing else read_log_of)(context, db) as log:
        row = run_named(log, run)
        if is_changing:
            note = sys.stdin.read() if text == _STDIN else text
            log.write_note(row["run_id"], (note or "").strip() or None)
            told = f"Note {'taken off' if clear else 'written on'} run {row['run_id']}."
        elif row.get("note"):
            told = "\n".join(printable(line) for line in str(row["note"]).splitlines())
        else:
            told = f"No note on run {row['run_id']}. Write one: ecosystemiser runs note {row['run_id']} TEXT"
    typer.echo(told)

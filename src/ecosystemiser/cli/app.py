"""The commands and what they share. Importing this loads typer, and nothing that a command needs."""

from __future__ import annotations

from typing import Annotated

import typer

from ecosystemiser.cli.commands.cancel import cancel_run, cancel_study
from ecosystemiser.cli.commands.check import check
from ecosystemiser.cli.commands.database import (
    back_up_database,
    check_database,
    copy_database,
    replay_spool,
    show_database,
    upgrade_database,
)
from ecosystemiser.cli.commands.demo import demo
from ecosystemiser.cli.commands.doctor import doctor
from ecosystemiser.cli.commands.explore import explore
from ecosystemiser.cli.commands.history import compare_runs, diff_runs, export_runs, rerun, verify_runs
from ecosystemiser.cli.commands.report import report
from ecosystemiser.cli.commands.run import run
from ecosystemiser.cli.commands.run_show import show_run
from ecosystemiser.cli.commands.runs_bill import bill_run
from ecosystemiser.cli.commands.runs_delete import delete_runs
from ecosystemiser.cli.commands.runs_economics import show_economics
from ecosystemiser.cli.commands.runs_list import list_runs
from ecosystemiser.cli.commands.runs_note import note_run, tag_runs
from ecosystemiser.cli.commands.studies import list_studies, show_study
from ecosystemiser.cli.commands.study_run import resume_study, run_study
from ecosystemiser.cli.options import DbOption, Settings
from ecosystemiser.cli.signals import Stop

__all__ = ["app"]

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
runs = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
study = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
database = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def _version(asked: bool) -> None:  # noqa: FBT001 - typer's callbacks take the value alone
    if asked:
        from importlib.metadata import version

        typer.echo(f"ecosystemiser {version('ecosystemiser')}")
        raise typer.Exit


@app.callback()
def settings(
    context: typer.Context,
    *,
    db: DbOption = None,
    _is_version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    _shows_traceback: Annotated[
        bool, typer.Option("--traceback", help="Where something fails, show where in the code.")
    ] = False,
) -> None:
    """Simulate, optimise and compare local energy and water systems.

    Every run is logged in a database; its hours go into a file.

    \b
    Begin with:
      ecosystemiser demo                        a tour of half a minute
      ecosystemiser check riverside-community   what a system consists of
      ecosystemiser run my-system.yaml          solve a system of your own
      ecosystemiser study run my-study.yaml     many variations of a system
      ecosystemiser runs list                   what was solved so far
      ecosystemiser explore                     look at it in a browser

    \b
    Exit codes: 0 done, 1 the work failed, 2 the request was wrong,
    130 and 143 stopped by Ctrl-C and by SIGTERM.
    """
    context.obj = Settings(db, context.obj) if isinstance(context.obj, Stop) else Settings(db)


@runs.callback()
def runs_settings() -> None:
    """Find, compare, repeat, tag and delete the runs in the log.

    \b
    Examples:
      ecosystemiser runs list --sort cost
      ecosystemiser runs list --where "cost < 20000 and tag = 'good'"
      ecosystemiser runs show last
      ecosystemiser runs diff last~1 last
    """


@study.callback()
def study_settings() -> None:
    """Run many variations of a system, and look at them.

    \b
    Examples:
      ecosystemiser study run battery-sizing.yaml
      ecosystemiser study list
      ecosystemiser study show last
    """


@database.callback()
def database_settings() -> None:
    """Look after the database: facts, checks, backups, copies.

    \b
    Examples:
      ecosystemiser db info
      ecosystemiser db check
      ecosystemiser db backup
    """


app.command("demo")(demo)
app.command("run")(run)
app.command("check")(check)
study.command("run")(run_study)
study.command("list")(list_studies)
study.command("show")(show_study)
study.command("resume")(resume_study)
study.command("cancel")(cancel_study)
app.add_typer(study, name="study")
runs.command("list")(list_runs)
runs.command("show")(show_run)
runs.command("bill")(bill_run)
runs.command("economics")(show_economics)
runs.command("diff")(diff_runs)
runs.command("compare")(compare_runs)
runs.command("rerun")(rerun)
runs.command("verify")(verify_runs)
runs.command("export")(export_runs)
runs.command("delete")(delete_runs)
runs.command("tag")(tag_runs)
runs.command("note")(note_run)
runs.command("cancel")(cancel_run)
app.add_typer(runs, name="runs")
database.command("info")(show_database)
database.command("check")(check_database)
database.command("upgrade")(upgrade_database)
database.command("backup")(back_up_database)
database.command("copy")(copy_database)
database.command("replay")(replay_spool)
app.add_typer(database, name="db")
app.command("explore")(explore)
app.command("report")(report)
app.command("doctor")(doctor)

"""The commands and what they share. Importing this loads typer, and nothing that a command needs."""

from __future__ import annotations

from typing import Annotated

import typer

from ecosystemiser.cli.commands.check import check
from ecosystemiser.cli.commands.demo import demo
from ecosystemiser.cli.commands.doctor import doctor
from ecosystemiser.cli.commands.run import run
from ecosystemiser.cli.commands.runs import list_runs, show_run
from ecosystemiser.cli.commands.studies import list_studies, show_study
from ecosystemiser.cli.commands.study_run import run_study
from ecosystemiser.cli.options import DbOption, Settings
from ecosystemiser.cli.signals import Stop

__all__ = ["app"]

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
runs = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
study = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


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

    \b
    Exit codes: 0 done, 1 the work failed, 2 the request was wrong,
    130 and 143 stopped by Ctrl-C and by SIGTERM.
    """
    context.obj = Settings(db, context.obj) if isinstance(context.obj, Stop) else Settings(db)


@runs.callback()
def runs_settings() -> None:
    """Look at the log of all runs.

    \b
    Examples:
      ecosystemiser runs list --sort cost
      ecosystemiser runs show last
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


app.command("demo")(demo)
app.command("run")(run)
app.command("check")(check)
study.command("run")(run_study)
study.command("list")(list_studies)
study.command("show")(show_study)
app.add_typer(study, name="study")
runs.command("list")(list_runs)
runs.command("show")(show_run)
app.add_typer(runs, name="runs")
app.command("doctor")(doctor)

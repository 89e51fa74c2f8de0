"""Every command is documented, with an example, in 80 columns."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any, get_args

import pytest
import typer

from ecosystemiser.cli.app import app
from ecosystemiser.cli.run_report import REMEDIES
from ecosystemiser.config.solver_options import SOLVER_TYPES, SolverOptions
from ecosystemiser.errors import FailureCause
from ecosystemiser.store.states import RunStatus


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


ALL = list(commands(typer.main.get_command(app)))


def test_the_commands_are_these() -> None:
    found = {" ".join(path) for path in ALL}
    words = {
        "runs": (
            *("list", "show", "bill", "economics", "diff", "compare"),
            *("rerun", "verify", "export", "delete", "tag", "note", "cancel"),
        ),
        "study": ("run", "list", "show", "resume", "cancel"),
        "db": ("info", "check", "upgrade", "backup", "copy", "replay"),
    }
    grouped = {f"{group} {word}" for group, each in words.items() for word in each}
    assert found == {"", "demo", "run", "check", "doctor", "explore", "report", *words, *grouped}


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_says_what_a_command_does_with_an_example_in_80_columns(
    path: tuple[str, ...], eco: Callable[..., Any]
) -> None:
    said = eco(*path, "--help")
    assert said.code == 0
    assert said.widest <= 80
    example = " ".join(("ecosystemiser", *path))
    assert re.search(rf"^    {example}", said.out, re.MULTILINE)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_example_is_a_command_line(path: tuple[str, ...], eco: Callable[..., Any]) -> None:
    """Its options exist and its arguments suffice; nothing is run."""
    for line in re.findall(r"^    ecosystemiser (.*?)(?: {2,}|$)", eco(*path, "--help").out, re.MULTILINE):
        command: Any = typer.main.get_command(app)
        context, words = None, list(takewhile(lambda word: word not in "<>", shlex.split(line)))
        while getattr(command, "commands", None):
            context = command.context_class(command, info_name=command.name, parent=context)
            if words[0] == "--db":
                words = words[2:]
            command = command.commands[words.pop(0)]
        command.make_context(command.name, words, parent=context)


def options() -> Iterator[Any]:
    for path in ALL:
        command: Any = typer.main.get_command(app)
        for name in path:
            command = command.commands[name]
        for option in command.params:
            if option.name != "help":
                yield pytest.param(option, id=f"{' '.join(path)} {option.name}")


@pytest.mark.parametrize("option", list(options()))
def test_every_option_and_argument_has_its_sentence(option: Any) -> None:
    assert option.help
    assert option.help.endswith(".")


def test_the_help_of_run_names_every_solver_and_end_rule(eco: Callable[..., Any]) -> None:
    said = eco("run", "--help").out
    rules = get_args(SolverOptions.model_fields["end"].annotation)
    assert [word for word in (*SOLVER_TYPES, *rules) if word not in said] == []


def test_the_help_of_the_list_names_every_status(eco: Callable[..., Any]) -> None:
    said = eco("runs", "list", "--help").out
    assert [status.value for status in RunStatus if status.value not in said] == []


def test_every_cause_of_a_failure_has_a_remedy() -> None:
    assert set(REMEDIES) == {cause.value for cause in FailureCause}


def test_the_version_is_told(eco: Callable[..., Any]) -> None:
    assert re.fullmatch(r"ecosystemiser \d+\.\d+\.\d+\S*\n", eco("--version").out)


@pytest.mark.parametrize("arguments", [(), ("nope",), ("run",), ("runs", "show"), ("runs", "list", "--limit", "x")])
def test_wrong_usage_is_a_wrong_request(arguments: tuple[str, ...], eco: Callable[..., Any]) -> None:
    said = eco(*arguments)
    assert said.code == 2
    assert "Usage: ecosystemiser" in said.out + said.err

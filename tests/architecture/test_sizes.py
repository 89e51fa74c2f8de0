"""Prints which files and functions are long. Nothing fails for its length: a person decides."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES = 400
FUNCTION_LINES = 60


def python_files() -> list[Path]:
    folders = ("src", "tests", "benchmarks", "tools")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def functions(text: str) -> list[tuple[str, int]]:
    """Name and length of each function, its docstring not counted. [lines]"""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            docstring_lines = (node.body[0].end_lineno or 0) - node.body[0].lineno + 1 if documented else 0
            found.append((node.name, (node.end_lineno or 0) - node.lineno + 1 - docstring_lines))
    return found


def test_long_files_and_functions_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    files = {path: path.read_text() for path in python_files()}
    lengths = {path: functions(text) for path, text in files.items()}
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path, text in files.items()
        if (lines := len(text.splitlines())) > FILE_LINES
    ] + [
        f"{path.relative_to(ROOT)}: {name}: {lines} lines"
        for path, measured in lengths.items()
        for name, lines in measured
        if lines > FUNCTION_LINES
    ]
    with capsys.disabled():
        for line in long:
            print(f"\nlong: {line}", end="")  # noqa: T201 - to be read in the test run, also when all is well

    assert Path(__file__) in files
    assert "python_files" in dict(lengths[Path(__file__)])


def test_a_function_is_measured_without_its_docstring() -> None:
    assert functions('def f():\n    """One.\n\n    Two."""\n    return 1\n') == [("f", 2)]

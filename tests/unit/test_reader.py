"""The YAML reader: what it reads, what it refuses, and where it says that something stands."""

from __future__ import annotations

import io
import math
import os
import pickle
import subprocess
import sys
import time
import tracemalloc
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import ruamel.yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ecosystemiser import reader
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.reader import (
    MAX_BYTES,
    Document,
    dotted,
    findings_from_pydantic,
    parse_value,
    parse_yaml,
    read_yaml,
)

SYSTEM = """\
system_id: village
components:
  grid:
    type: grid
    import_price_per_kwh:
      default: 0.28
      periods:
        - {price: 0.18, hours: "22-06"}
        - price: 0.38
          days: mon-fri
  battery: {type: battery, capacity_kwh: 80}
"""


def refused(text: str) -> list[str]:
    """Return what is said about `text`, one finding a line."""
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "a.yaml")
    return [str(finding) for finding in caught.value.findings]


def read(text: str) -> dict[str, Any]:
    return parse_yaml(text, "a.yaml").data


def test_public_names() -> None:
    """The names that other rooms may use are these."""
    assert reader.__all__ == sorted(reader.__all__, key=lambda name: (not name.isupper(), name))
    assert set(reader.__all__) == {
        "MAX_BYTES",
        "Document",
        "Path",
        "dotted",
        "findings_from_pydantic",
        "parse_value",
        "parse_yaml",
        "read_yaml",
    }


def test_ruamel_is_imported_at_the_first_parse_only() -> None:
    """Importing the reader does not import ruamel.yaml, so `--help` stays fast."""
    code = "import sys, ecosystemiser.reader; print('ruamel.yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# --- values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("off", "off"),
        ("12:30", "12:30"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("3", 3),
        ("-0", 0),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b101", 5),
        ("1_000", 1000),
        ("3.5", 3.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("1.2.3", "1.2.3"),
        ("-", None),
        ("+_", "+_"),
        ("._", "._"),
        ("=", "="),
        ("'3'", "3"),
        ('"no"', "no"),
        ("'it''s'", "it's"),
        ('"tab\\tend"', "tab\tend"),
        ("2018-01-01", date(2018, 1, 1)),
        ("2018-02-30", "2018-02-30"),
        ("2018-01-01 12:30:00", datetime(2018, 1, 1, 12, 30)),  # noqa: DTZ001 - the file states no zone
        ("2018-01-01T12:30:00.5Z", datetime(2018, 1, 1, 12, 30, 0, 500000, UTC)),
        ("2018-01-01T12:30:00-03:30", datetime(2018, 1, 1, 12, 30, tzinfo=timezone(-timedelta(hours=3.5)))),
        ("a:b", "a:b"),
        ("http://x/y#z", "http://x/y#z"),
        ("two words # comment", "two words"),
        ("[1, no, {a: b}]", [1, "no", {"a": "b"}]),
        ("{a: 1, b: }", {"a": 1, "b": None}),
        ("[?x, a?]", ["?x", "a?"]),
        ("[]", []),
        ("{}", {}),
    ],
)
def test_scalar(text: str, value: object) -> None:
    """An unquoted word means what YAML 1.2 says."""
    if text == "-":
        value = [None]
        text = "\n  -"
    found = read(f"a: {text}\n")["a"]
    assert found == value
    assert type(found) is type(value)


def test_nan_passes() -> None:
    """`.nan` is a float here; the schema refuses it."""
    assert math.isnan(read("a: .nan")["a"])


def test_multi_line_texts() -> None:
    """Folded, literal and continued texts are read as ruamel reads them."""
    text = "a: |\n  x\n   y\n\nb: >-\n  x\n  y\nc: one\n  two # no\nd: 'one\n  two'\ne: [x\n  y, z]\n"
    assert read(text) == {"a": "x\n y\n", "b": "x y", "c": "one two", "d": "one two", "e": ["x y", "z"]}


@pytest.mark.parametrize("text", ["---\na: 1\n", "a: 1\n...\n", "\ufeffa: 1\n", "a: 1\r\n", "a: 1\r# x\r", "? a\n: 1"])
def test_one_document_however_written(text: str) -> None:
    """A start or end marker, a byte order mark and any line break are fine."""
    assert read(text) == {"a": 1}


def test_byte_order_mark_in_a_file(tmp_path: Path) -> None:
    """A file that Windows marked as UTF-8 is read."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa4\r\nb: 2\r\n")
    document = read_yaml(path)
    assert document.data == {"a": "ä", "b": 2}
    assert document.line(("b",)) == 2


def test_alias_repeats_a_value() -> None:
    """`*name` repeats what `&name` marks, mapping, list or scalar."""
    assert read("a: &x {b: 1}\nc: *x\nd: [&y 3, *y]\ne: &z\nf: *z\n") == {
        "a": {"b": 1},
        "c": {"b": 1},
        "d": [3, 3],
        "e": None,
        "f": None,
    }


def test_merge_key() -> None:
    """`<<` adds the keys that a mapping does not have itself; of several sources the first wins."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 0\nd: {<<: *a}\n"
    document = parse_yaml(text, "a.yaml")
    assert document.data["c"] == {"x": 0, "y": 1, "z": 2}
    assert document.data["d"] == {"x": 1, "y": 1}
    assert [document.line(("c", key)) for key in "xyz"] == [5, 1, 2]


def test_merged_mapping_stays_as_it_is() -> None:
    """Merging copies: the marked mapping does not change."""
    assert read("a: &a {x: 1}\nb: {<<: *a, x: 2}\nc: *a\n")["c"] == {"x": 1}


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a.yaml: is empty"),
        ("# only a comment\n", "a.yaml: is empty"),
        ("---\n", "a.yaml: is empty"),
        ("- 1\n", "a.yaml:1: is a list where"),
        ("word\n", "a.yaml:1: is a single value where"),
        ("null\n", "a.yaml:1: is a single value where"),
        ("a: !!python/object:os.system x\n", "a.yaml:1: the tag '!!python/object:os.system' is not allowed"),
        ("a: 1\nb: !mine {x: 1}\n", "a.yaml:2: the tag '!mine' is not allowed"),
        ("a: !!str 3\n", "a.yaml:1: the tag '!!str' is not allowed"),
        ("%YAML 1.1\n---\na: no\n", "a.yaml:1: a directive"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: starts a second document"),
        ("a: 1\n...\nb: 2\n", "a.yaml:3: starts a second document"),
        ("a:\n\tb: 1\n", "a.yaml:2: holds a tab"),
        ("a:\tb\n", "a.yaml:1: holds a tab"),
        ("a: 1\nb: \x00\n", "a.yaml:2: holds the control or invisible character U+0000"),
        ("a: \x1b[31m\n", "a.yaml:1: holds the control or invisible character U+001B"),
        ("a: 1\r\nb: x\ufeff\n", "a.yaml:2: holds the control or invisible character U+FEFF"),
        ("a: \u2028\n", "a.yaml:1: holds the control or invisible character U+2028"),
        ("a: \ud800\n", "a.yaml:1: holds the control or invisible character U+D800"),
        ('a: "\\0"\n', "a.yaml:1: holds the control or invisible character U+0000"),
        ('a: "\\ud83d\\ude00"\n', "a.yaml:1: holds the control or invisible character U+D83D"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', "a.yaml:2: holds an escape of a character that does not exist"),
        ('a: "\\q"\n', "a.yaml:1: holds a backslash"),
        ("1: x\n", 'a.yaml:1: 1: is a number used as a key; write "1" in quotes'),
        ("a: {true: x}\n", "a.yaml:1: a.true: is a truth value used as a key"),
        ("2018-01-01: x\n", "a.yaml:1: 2018-01-01: is a date used as a key"),
        (": x\n", "a.yaml:1: has no key before ':'"),
        ("[1]: x\n", "a.yaml:1: uses a list or mapping as a key"),
        ("a: {{ x }}\n", "a.yaml:1: uses a list or mapping as a key"),
        ("a: &x 1\n*x : 2\n", "a.yaml:2: uses the alias '*x' as a key"),
        ("a: *x\n", "a.yaml:1: '*x' names nothing"),
        ("a: &x [*x]\n", "a.yaml:1: '*x' stands within the value it names"),
        ("a: &x\n  b: {c: *x}\n", "a.yaml:2: '*x' stands within the value it names"),
        ("<<: 3\n", "a.yaml:1: <<: merges a number"),
        ("a:\n  - <<: [1]\n", "a.yaml:2: a[0].<<: merges a list"),
        ("a: 'x\nb: 1\n", "a.yaml:1: opens a quote that is never closed"),
        ("a: [1, 2\nb: 1\n", "a.yaml:2: lacks a ',' or a ']' for its '[' (opened in line 1)"),
        ("a: {b: 1\n", "a.yaml:2: lacks a ',' or a '}' for its '{' (opened in line 1)"),
        ("a: [,]\n", "a.yaml:1: holds a bracket or comma where a value belongs"),
        ("a: ]\n", "a.yaml:1: holds a bracket or comma where a value belongs"),
        ("a: b: c\n", "a.yaml:1: holds ': ' where no key can stand"),
        ("a: 1\nb\nc: 3\n", "a.yaml:2: holds no ':'"),
        ("a:\n  b: 1\n c: 2\n", "a.yaml:3: is out of line"),
        ("a: @x\n", "a.yaml:1: starts a text with '@', which YAML reserves"),
        ("a: 'x' y\n", "a.yaml:1: holds text after the end of a value"),
        ("a: &\n", "a.yaml:1: holds '*' or '&' without a name"),
    ],
)
def test_refusal(text: str, said: str) -> None:
    """What is not plain data is refused with its line, in words of ours."""
    findings = refused(text)
    assert findings[0].startswith(said)
    assert "; " in findings[0]


@pytest.mark.parametrize("number", ["1" * 5000, "0x" + "f" * 5000, "0." + "1" * 5000])
def test_endless_number(number: str) -> None:
    """A number of thousands of digits is refused, not a crash of int() or repr()."""
    assert refused(f"a: {number}\n")[0].startswith("a.yaml:1: holds a number of 50")


def test_all_duplicates_at_once() -> None:
    """Each key that stands twice is named with both lines."""
    assert refused("a: 1\nb: {x: 1, x: 2}\na: 3\nc: [{y: 1}, {y: 1,\n y: 2}]\na: 4\n") == [
        "a.yaml:2: b.x: stands here again, after line 2; keep one of the two",
        "a.yaml:3: a: stands here again, after line 1; keep one of the two",
        "a.yaml:5: c[1].y: stands here again, after line 4; keep one of the two",
        "a.yaml:6: a: stands here again, after line 1; keep one of the two",
    ]


def test_duplicates_above_a_syntax_error() -> None:
    """What was found before the text breaks off is reported with the break."""
    assert len(refused("a: 1\na: 2\nb: 'x\n")) == 2


def test_endless_duplicates() -> None:
    """After a hundred mistakes reading ends."""
    findings = refused("a: 1\n" * 1000)
    assert len(findings) == 101
    assert findings[-1].startswith("a.yaml:102: holds one mistake more")


# --- attacks ----------------------------------------------------------------------------------------


def bomb(width: int, depth: int) -> str:
    lines = [f"a0: &a0 [{', '.join(['x'] * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, depth)]
    return "\n".join(lines)


MERGE_BOMB = (
    "a0: &a0 {"
    + ", ".join(f"k{n}: 1" for n in range(999))
    + "}\n"
    + "".join(f"b{n}: {{<<: *a0}}\n" for n in range(1000))
)


@pytest.mark.parametrize(
    "text",
    [
        bomb(9, 40),
        bomb(1000, 3),
        MERGE_BOMB,
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 2000)),
        "a: " + "[" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        "a: " + "{b: " * 10_000,
        "".join(f"{' ' * n}a:\n" for n in range(3000)),
        "- " * 10_000,
        "? " * 10_000,
        "a: " + "&x " * 10_000,
        "a: 1\n" + "\n" * 1_000_000 + "- ",
        "a: 1\n" + "# comment\n" * 100_000 + "- ",
        "a: " + "1" * 1_000_000,
    ],
    ids=[
        "wide",
        "flat",
        "merge",
        "chain",
        "flow",
        "closed",
        "flow-map",
        "block",
        "dashes",
        "keys",
        "anchors",
        "blank",
        "comments",
        "digits",
    ],
)
def test_bomb(text: str) -> None:
    """What expands or nests without end is refused within a second and 50 MB."""
    tracemalloc.start()
    start = time.perf_counter()
    try:
        refused(text)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - start < 3  # traced, and on a busy machine; 0.2 s otherwise


@pytest.mark.parametrize("nest", ["[" * 49 + "]" * 49, "\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 50))])
def test_deepest_nesting(nest: str) -> None:
    """Fifty levels are read."""
    data: Any = read(f"a: {nest}")
    for _ in range(49):
        data = data["a"] if isinstance(data, dict) else data[0]


def test_too_deep_names_the_line() -> None:
    """The line where the fifty-first level begins is named."""
    text = "".join(f"{' ' * n}a:\n" for n in range(60))
    assert refused(text) == ["a.yaml:51: is nested deeper than 50 levels; flatten it"]


def test_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """A file of 1 GB is refused by its size."""
    path = tmp_path / "huge.yaml"
    with path.open("wb") as stream:
        stream.truncate(1_000_000_000)
    start = time.perf_counter()
    with pytest.raises(InputError, match="is larger than 10 MB"):
        read_yaml(path)
    assert time.perf_counter() - start < 1


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="Linux only")
def test_file_that_hides_its_size() -> None:
    """A file whose size reads 0 is read no further than the limit."""
    assert MAX_BYTES == 10_000_000
    with pytest.raises(InputError):
        read_yaml("/proc/self/mem")


# --- files ------------------------------------------------------------------------------------------


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(InputError, match=r"no\.yaml: does not exist; check the name"):
        read_yaml(tmp_path / "no.yaml")


def test_folder(tmp_path: Path) -> None:
    """A folder is no file."""
    with pytest.raises(InputError, match="is a folder"):
        read_yaml(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_fifo(tmp_path: Path) -> None:
    """A FIFO, which could make us wait for ever, is not opened."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is not a regular file"):
        read_yaml(tmp_path / "pipe")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs devices")
def test_device() -> None:
    """A device is not opened."""
    with pytest.raises(InputError, match="is not a regular file"):
        read_yaml("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_forbidden_file(tmp_path: Path) -> None:
    """A file without read permission is named."""
    path = tmp_path / "a.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    with pytest.raises(InputError, match="may not be read"):
        read_yaml(path)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_impossible_name(name: str) -> None:
    """A name that no file can have is an error of the request."""
    with pytest.raises(InputError, match="cannot be read"):
        read_yaml(name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: 1\nb: \xff\n", "a.yaml:2: holds the byte 0xff, which is not UTF-8"),
        ("a: ä\n".encode("latin-1"), "a.yaml:1: holds the byte 0xe4, which is not UTF-8"),
        ("a: 1\n".encode("utf-16"), "a.yaml: is UTF-16 text"),
        (b"", "a.yaml: is empty"),
        (b"a: 1\n\0", "a.yaml:2: holds the control or invisible character U+0000"),
    ],
)
def test_encoding(tmp_path: Path, content: bytes, said: str) -> None:
    """Bytes that are not UTF-8 text are named with their line."""
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(f"{tmp_path}/{said}")


# --- places -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), None),
        (("system_id",), 1),
        (("components", "grid"), 3),
        (("components", "grid", "import_price_per_kwh", "periods"), 7),
        (("components", "grid", "import_price_per_kwh", "periods", 0, "hours"), 8),
        (("components", "grid", "import_price_per_kwh", "periods", 1), 9),
        (("components", "grid", "import_price_per_kwh", "periods", 1, "days"), 10),
        (("components", "battery", "capacity_kwh"), 11),
        (("components", "battery", "power_kw"), 11),
        (("components", "grid", "import_price_per_kwh", "periods", 7, "x"), 7),
        (("nothing",), None),
    ],
)
def test_line(path: tuple[str | int, ...], line: int | None) -> None:
    """A path has the line of its key, else of its nearest parent."""
    assert parse_yaml(SYSTEM, "a.yaml").line(path) == line


def test_finding() -> None:
    """A finding names file, line, dotted key and value."""
    path = ("components", "grid", "import_price_per_kwh", "periods", 1, "price")
    assert parse_yaml(SYSTEM, "a.yaml").finding(path, "is high", "lower it", 0.38) == Finding(
        "is high", "lower it", "components.grid.import_price_per_kwh.periods[1].price", 0.38, "a.yaml", 9
    )


def test_dotted() -> None:
    """Entries of lists stand in brackets."""
    assert [dotted(path) for path in [(), ("a",), ("a", 0, 1, "b"), (0, "a")]] == [
        "",
        "a",
        "a[0][1].b",
        "[0].a",
    ]


def test_value() -> None:
    """The value at a path can be asked for; where there is none, KeyError."""
    document = parse_yaml(SYSTEM, "a.yaml")
    assert document.value(("components", "battery", "capacity_kwh")) == 80
    for path in [("x",), ("system_id", 0), ("components", "grid", "import_price_per_kwh", "periods", -1)]:
        with pytest.raises(KeyError):
            document.value(path)


def test_document_is_pickled() -> None:
    """A document goes to a worker process with its lines."""
    document = parse_yaml(SYSTEM, "a.yaml").with_value(("x",), 1, "--set")
    copy = pickle.loads(pickle.dumps(document))  # noqa: S301 - our own bytes
    assert copy == document
    assert copy.line(("components",)) == 2


# --- with_value -------------------------------------------------------------------------------------


def test_with_value_copies_only_along_the_path() -> None:
    """The original stays; what lies beside the path is shared."""
    document = parse_yaml(SYSTEM, "a.yaml")
    changed = document.with_value(("components", "battery", "capacity_kwh"), 100, "--set")
    assert changed.data["components"]["battery"] == {"type": "battery", "capacity_kwh": 100}
    assert document.data["components"]["battery"]["capacity_kwh"] == 80
    assert changed.data["components"]["grid"] is document.data["components"]["grid"]


def test_with_value_reports_its_source() -> None:
    """What was set, and what lies within it, is reported with the source; all else with file and line."""
    path = ("components", "battery")
    document = parse_yaml(SYSTEM, "a.yaml").with_value(path, {"capacity_kwh": -1}, "--set")
    assert str(document.finding((*path, "capacity_kwh"), "is negative", "", -1)) == (
        "--set: components.battery.capacity_kwh: -1 is negative"
    )
    assert document.finding(("components", "grid"), "m", "r").line == 3


def test_later_with_value_wins() -> None:
    """The last to set a place, or a place around it, is its source."""
    document = parse_yaml(SYSTEM, "a.yaml")
    document = document.with_value(("components", "battery", "capacity_kwh"), 1, "first")
    document = document.with_value(("components", "battery"), {"capacity_kwh": 2}, "second")
    assert document.finding(("components", "battery", "capacity_kwh"), "m", "r").file == "second"
    document = document.with_value(("components", "battery", "capacity_kwh"), 3, "third")
    assert document.finding(("components", "battery", "capacity_kwh"), "m", "r").file == "third"
    assert document.finding(("components", "battery", "type"), "m", "r").file == "second"


def test_with_value_adds_a_key() -> None:
    """The last key need not exist."""
    document = parse_yaml(SYSTEM, "a.yaml").with_value(("economics",), {"years": 20}, "--set")
    assert document.data["economics"] == {"years": 20}


def test_with_value_sets_an_entry() -> None:
    """An entry of a list can be set."""
    document = parse_yaml("a: [1, 2]\n", "a.yaml").with_value(("a", 1), 3, "--set")
    assert document.data == {"a": [1, 3]}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("components", "batery", "x"), "components.batery: does not exist; did you mean 'battery'?"),
        (("q", "x"), "q: does not exist; the file holds: system_id, components"),
        (
            ("system_id", "x"),
            "system_id.x: does not exist; 'system_id' holds a single value: set it as a whole",
        ),
        (("components", 3), "components[3]: does not exist; 'components' holds a single value"),
        ((), "names no value; give a path"),
    ],
)
def test_with_value_needs_the_parents(path: tuple[str | int, ...], said: str) -> None:
    """A path whose parents do not exist is refused with what is there instead."""
    with pytest.raises(InputError) as caught:
        parse_yaml(SYSTEM, "a.yaml").with_value(path, 1, "--set")
    assert str(caught.value).startswith(f"--set: {said}")


@pytest.mark.parametrize("entry", [2, -1, "x"])
def test_with_value_needs_the_entry(entry: str | int) -> None:
    """A list has no entry but its own."""
    with pytest.raises(InputError, match=r"'a' is a list of 2: name an entry by \[0\] to \[1\]"):
        parse_yaml("a: [1, 2]\n", "a.yaml").with_value(("a", entry), 3, "--set")


def test_many_values_are_set_one_after_the_other() -> None:
    """As by `with_value` again and again: each parent is copied once, none of the values given is changed."""
    document = parse_yaml(SYSTEM, "a.yaml")
    battery = {"type": "battery", "capacity_kwh": 1}
    values: dict[tuple[str | int, ...], object] = {
        ("components", "battery"): battery,
        ("components", "battery", "capacity_kwh"): 5,
        ("components", "grid", "import_limit_kw"): 3,
        ("components", "battery", "power_kw"): 2,
    }
    changed = document.with_values(values, "--set")
    one_by_one = document
    for path, value in values.items():
        one_by_one = one_by_one.with_value(path, value, "--set")
    assert changed == one_by_one
    assert changed.data["components"]["battery"] == {"type": "battery", "capacity_kwh": 5, "power_kw": 2}
    assert battery == {"type": "battery", "capacity_kwh": 1}
    assert "import_limit_kw" not in document.data["components"]["grid"]
    for path in (("components", "battery", "type"), ("components", "grid", "import_limit_kw"), ("components", "grid")):
        assert changed.finding(path, "m", "r") == one_by_one.finding(path, "m", "r")


def test_a_value_set_later_drops_what_was_set_within_it() -> None:
    document = parse_yaml(SYSTEM, "a.yaml")
    inner, whole = ("components", "battery", "capacity_kwh"), ("components", "battery")
    changed = document.with_values({inner: 5, whole: {"type": "battery"}}, "--set")
    assert changed.data["components"]["battery"] == {"type": "battery"}


# --- parse_value ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100", 100),
        (" 1.5 ", 1.5),
        ("no", "no"),
        ("12:30", "12:30"),
        ("", None),
        ("''", ""),
        ("[1, 2]", [1, 2]),
        ("{from: 1, to: 2}", {"from": 1, "to": 2}),
        ("2018-01-01", date(2018, 1, 1)),
        ("a#b", "a#b"),
        ("'#fff'", "#fff"),
    ],
)
def test_parse_value(text: str, value: object) -> None:
    """A value from the command line follows the rules of a file."""
    assert parse_value(text) == value


@pytest.mark.parametrize("text", ["a: b", "- 1", "[1", "'x", "a #b", "#fff", "!x", "{a: 1, a: 2}", "\0", "---", "*x"])
def test_parse_value_refuses(text: str) -> None:
    """What is not one value is refused; the place is the command line."""
    with pytest.raises(InputError, match=r"^--set: "):
        parse_value(text, "--set")


# --- findings from validation -----------------------------------------------------------------------


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class FileSeries(Strict):
    file: str
    column: str = "x"


class Tariff(Strict):
    default: float
    periods: list[dict[str, Any]] = []


Positive = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Price = Positive | Annotated[list[Positive], Field(min_length=2)] | Literal["market", "free"] | FileSeries | Tariff


class Battery(Strict):
    type: Literal["battery"]
    capacity_kwh: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    efficiency: Annotated[float, Field(gt=0, le=1)] = 1
    cycles: int = 1
    installed: bool = True
    since: date | None = None
    battery: dict[str, float] = {}

    @field_validator("cycles")
    @classmethod
    def _lucky(cls, cycles: int) -> int:
        if cycles == 13:
            raise ValueError("brings bad luck; take 12; or 14")
        return cycles

    @model_validator(mode="after")
    def _possible(self) -> Battery:
        if self.cycles > self.capacity_kwh:
            raise ValueError("has more cycles than capacity; lower cycles")
        return self


class Grid(Strict):
    type: Literal["grid"]
    import_price_per_kwh: Price = 0
    carrier: Literal["electricity", "heat", "gas"] = "electricity"
    name: Annotated[str, Field(pattern="^[a-z]*$", max_length=9)] = ""


class System(Strict):
    components: dict[str, Annotated[Battery | Grid, Field(discriminator="type")]]


KEYS: dict[str, list[str]] = {
    "battery": list(Battery.model_fields),
    "grid": list(Grid.model_fields),
    "import_price_per_kwh": ["file", "column", "default", "periods"],
}


CARRIERS = "allowed: electricity, heat, gas"


def allowed(path: tuple[str | int, ...]) -> list[str]:
    return KEYS.get(str(path[-1]), []) if path else ["components"]


def said(text: str) -> list[str]:
    document = parse_yaml(text, "a.yaml")
    try:
        System.model_validate(document.data)
    except ValidationError as error:
        return [str(finding) for finding in findings_from_pydantic(error.errors(), document, (), allowed)]
    return []


def said_of_battery(text: str) -> list[str]:
    found = said(f"components:\n  battery: {{type: battery, {text}}}\n")
    return [line.removeprefix("a.yaml:2: components.battery") for line in found]


def said_of_price(text: str) -> list[str]:
    found = said(f"components:\n  grid:\n    type: grid\n    import_price_per_kwh: {text}\n")
    return [line.removeprefix("a.yaml:4: components.grid.import_price_per_kwh") for line in found]


ANY_PRICE = "a number, a list, a mapping or one of (market, free) belongs"


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ('capacity_kwh: "3"', ".capacity_kwh: '3' is text where a number belongs; remove the quotes"),
        (
            "capacity_kwh: '3,5'",
            ".capacity_kwh: '3,5' is text where a number belongs; write a point for the comma",
        ),
        (
            "capacity_kwh: 5 kWh",
            ".capacity_kwh: '5 kWh' is text where a number belongs; write the number alone",
        ),
        ("capacity_kwh: big", ".capacity_kwh: 'big' is text where a number belongs; write a number"),
        ("capacity_kwh: true", ".capacity_kwh: True is a truth value where a number belongs; write a number"),
        (
            "capacity_kwh: ",
            ".capacity_kwh: is empty where a number belongs; give a value, or remove the line",
        ),
        ("capacity_kwh: [1]", ".capacity_kwh: is a list where a number belongs; write a number"),
        ("capacity_kwh: 0", ".capacity_kwh: 0 is not more than 0; give more than 0"),
        ("capacity_kwh: .nan", ".capacity_kwh: nan is not a finite number; give a number"),
        ("capacity_kwh: .inf", ".capacity_kwh: inf is not a finite number; give a number"),
        ("capacity_kwh: 5, efficiency: 1.5", ".efficiency: 1.5 is more than 1; give 1 or less"),
        ("capacity_kwh: 5, cycles: 2.5", ".cycles: 2.5 is not a whole number; round it"),
        ("capacity_kwh: 5, cycles: 13", ".cycles: 13 brings bad luck; take 12; or 14"),
        ("capacity_kwh: 5, cycles: 6", ": has more cycles than capacity; lower cycles"),
        (
            "capacity_kwh: 5, installed: yes",
            ".installed: 'yes' is text where true or false belongs; write true or false, without quotes",
        ),
        (
            "capacity_kwh: 5, since: soon",
            ".since: 'soon' is text where a date belongs; write it as 2018-01-31",
        ),
        ("cycles: 1", ".capacity_kwh: is missing; add 'capacity_kwh:' and a number in kWh"),
        ("capacty_kwh: 1", ".capacty_kwh: is not a known key; did you mean 'capacity_kwh'?"),
        ("capacity_kwh: 1, xyz: 1", f".xyz: is not a known key; allowed: {', '.join(Battery.model_fields)}"),
        (
            "capacity_kwh: 1, battery: {battery: x}",
            ".battery.battery: 'x' is text where a number belongs; write a number",
        ),
    ],
)
def test_field(text: str, finding: str) -> None:
    """Each kind of mistake in a field gives one finding that says what to do."""
    assert said_of_battery(text) == [finding]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("-3", ": -3 is negative; give 0 or more"),
        ("markt", f": 'markt' is text where {ANY_PRICE}; did you mean 'market'?"),
        ('"3"', f": '3' is text where {ANY_PRICE}; remove the quotes"),
        ("2018-01-01", f": '2018-01-01' is a date where {ANY_PRICE}; write one of these"),
        ("[1]", ": has 1 entries; give at least 2"),
        ("[1, x]", "[1]: 'x' is text where a number belongs; write a number"),
        ("{default: x}", ".default: 'x' is text where a number belongs; write a number"),
        ("{file: 3}", '.file: 3 is a number where text belongs; put quotes around it: "3"'),
        ("{fil: a, column: b}", ".fil: is not a known key; did you mean 'file'?"),
        ("{default: 1, period: []}", ".period: is not a known key; did you mean 'periods'?"),
    ],
)
def test_union(text: str, finding: str) -> None:
    """Of a union only the member that was meant is reported, or one finding for all."""
    assert said_of_price(text) == [finding]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            "b: {type: batery}",
            "b.type: 'batery' is not allowed here; did you mean 'battery'? (allowed: battery, grid)",
        ),
        ("b: {typ: grid}", "b.type: is missing; add 'type:' and its value"),
        ("b: 3", "b: 3 is a number where a mapping belongs; write 'key: value' lines below it"),
        (
            "b: {type: grid, carrier: electrcity}",
            f"b.carrier: 'electrcity' is not allowed here; did you mean 'electricity'? ({CARRIERS})",
        ),
        ("b: {type: grid, carrier: xyz}", f"b.carrier: 'xyz' is not allowed here; {CARRIERS}"),
        ("b: {type: grid, name: A}", "b.name: 'A' is not of the form wanted here; it must match ^[a-z]*$"),
        (
            "b: {type: grid, name: abcdefghijk}",
            "b.name: 'abcdefghijk' is too long; give at most 9 characters",
        ),
    ],
)
def test_component(text: str, finding: str) -> None:
    """The tag of a tagged union never stands in the key."""
    assert said(f"components:\n  {text}\n") == [f"a.yaml:2: components.{finding}"]


def test_missing_at_the_top() -> None:
    """What is missing from the whole file has the file as its place."""
    assert said("x: 1\n") == [
        "a.yaml:1: x: is not a known key; allowed: components",
        "a.yaml: components: is missing; add 'components:' and its value",
    ]


def test_findings_stand_in_the_order_of_the_file() -> None:
    """Findings are sorted by line."""
    text = "components:\n  b: {type: grid, x: 1}\n  a:\n    type: battery\n    y: 1\n    efficiency: 2\n"
    assert [line.split(":")[1] for line in said(text)] == ["2", "3", "5", "6"]


def test_prefix() -> None:
    """Errors of validating a part are placed in the whole."""
    document = parse_yaml(SYSTEM, "a.yaml").with_value(("components", "battery", "capacity_kwh"), -1, "--set")
    path = ("components", "battery")
    with pytest.raises(ValidationError) as caught:
        Battery.model_validate(document.value(path))
    (finding,) = findings_from_pydantic(caught.value.errors(), document, path)
    assert str(finding) == "--set: components.battery.capacity_kwh: -1 is not more than 0; give more than 0"


@pytest.mark.parametrize("kind", ["some_future_error", "is_instance_of", "frozen_instance", "float_type"])
def test_wording_of_pydantic_never_leaks(kind: str) -> None:
    """An error that we do not know is still said in our words."""
    error = {"type": kind, "loc": ("a",), "msg": "Input should be grand", "input": "x", "ctx": {"class": "X"}}
    (finding,) = findings_from_pydantic([error], parse_yaml("a: x", "a.yaml"))
    assert "Input" not in str(finding)
    assert finding.remedy


def test_ten_thousand_errors() -> None:
    """A long list of wrong values is reported in little time."""
    text = f"components: {{grid: {{type: grid, import_price_per_kwh: [{', '.join(['x'] * 10_000)}]}}}}\n"
    start = time.perf_counter()
    assert len(said(text)) == 10_000
    assert time.perf_counter() - start < 10


# --- properties -------------------------------------------------------------------------------------

YAMLISH = st.lists(
    st.sampled_from(
        [
            *"abc019:-?#,[]{}&*!|>'\"%@`~._= \n\t\\",
            "\n  ",
            "\n- ",
            ": ",
            " #",
            "---\n",
            "...\n",
            "<<: ",
            "&a ",
            "*a",
        ]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), YAMLISH, YAMLISH.map("a: {}".format)))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text raises anything but InputError."""
    findings: list[Finding] = []
    for call in (lambda: parse_yaml(text, "a"), lambda: parse_value(text, "a")):
        try:
            call()
        except InputError as error:
            findings.extend(error.findings)
            findings.extend([] if error.findings else [Finding("", "")])
    assert all(finding.message and finding.remedy and finding.file == "a" for finding in findings)


@pytest.mark.filterwarnings("ignore::ruamel.yaml.error.ReusedAnchorWarning")
@settings(max_examples=200, deadline=None)
@given(YAMLISH.filter(lambda text: not set("=?_") & set(text)).map("a: {}".format))
def test_agrees_with_ruamel(text: str) -> None:
    """What is read means what ruamel.yaml's own safe loader says it means.

    Left out: `=`, which it cannot construct; `[?x]`, which it takes for a key; `_`, which it drops anywhere.
    """
    try:
        data = read(text)
    except InputError:
        return
    assert repr(data) == repr(ruamel.yaml.YAML(typ="safe", pure=True).load(text))


PRINTABLE = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Cn"), exclude_characters="\ufeff"), max_size=20
).filter(lambda text: text[:1] not in ("?", ":"))  # ruamel.yaml writes {? a: 1}, {:a: 1} without quotes
TREES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        PRINTABLE,
        st.dates(),
        st.datetimes(min_value=datetime(1000, 1, 1)),  # noqa: DTZ001 - without zone on purpose
        st.sampled_from(["no", "12:30", "3", "1e3", "~", "<<", "a: b", "# x", "- x", "a\nb\n", " a ", "'", '"', "\t"]),
    ),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(PRINTABLE, below, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(PRINTABLE, TREES, min_size=1, max_size=4), st.booleans())
def test_what_ruamel_writes_is_read_again(tree: dict[str, Any], flow: bool) -> None:
    """Any plain tree that ruamel.yaml writes is read as it was, and each of its keys has a line."""
    dumper = ruamel.yaml.YAML(typ="safe", pure=True)
    dumper.default_flow_style = flow
    stream = io.StringIO()
    dumper.dump(tree, stream)
    document: Document = parse_yaml(stream.getvalue(), "a.yaml")
    assert document.data == tree
    for key in tree:
        line = document.line((key,))
        assert line is not None
        assert 1 <= line <= stream.getvalue().count("\n")

"""Names of runs and studies, and the folders that they may name."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecosystemiser.errors import InputError
from ecosystemiser.store import identifiers
from ecosystemiser.store.identifiers import check_identifier, new_run_id, results_folder

ESCAPES = [
    "..",
    "../x",
    "a/../../x",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "a\0b",
    "",
    ".hidden",
    "-x",
    "a..b",
    "ä",
    "a\n",
]


@pytest.mark.parametrize("name", ["a", "0", "battery-sizing_2.1", "x" * 128, "324b781b-93d9-472b-8607-ea0d25002999"])
def test_plain_names_are_taken(name):
    assert check_identifier(name, "run_id") == name


@pytest.mark.parametrize("name", [*ESCAPES, "x" * 129, 7, None, True])
def test_other_names_are_refused_by_key(name):
    with pytest.raises(InputError, match="run_id"):
        check_identifier(name, "run_id")


def test_new_ids_rise_within_a_process_even_when_the_clock_is_set_back(monkeypatch):
    first = [new_run_id() for _ in range(1000)]
    now = identifiers.time.time_ns()
    monkeypatch.setattr(identifiers.time, "time_ns", lambda: now - 86_400 * 10**9)
    ids = first + [new_run_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 2000


def test_new_ids_are_version_7_uuids_of_now():
    identifier = uuid.UUID(new_run_id())
    assert (identifier.version, identifier.variant) == (7, uuid.RFC_4122)
    assert abs((identifier.int >> 80) / 1000 - identifiers.time.time()) < 60
    check_identifier(str(identifier), "run_id")


def test_threads_get_different_ids():
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_run_id(), range(4000)))
    assert len(set(ids)) == 4000


def test_the_folder_of_a_run_lies_in_the_output_directory(tmp_path):
    assert results_folder(tmp_path / "out", "r1") == tmp_path.resolve() / "out" / "r1"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("run_id", ESCAPES)
def test_no_run_id_leaves_the_output_directory(tmp_path, run_id):
    with pytest.raises(InputError):
        results_folder(tmp_path, run_id)


@given(st.text(max_size=20))
def test_whatever_the_run_id_the_folder_is_inside_or_refused(tmp_path_factory, run_id):
    base = tmp_path_factory.getbasetemp().resolve()
    try:
        folder = results_folder(base, run_id)
    except InputError:
        return
    assert folder.parent == base


def test_a_symlink_out_of_the_output_directory_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "r1").symlink_to(tmp_path)
    with pytest.raises(InputError, match="symlink"):
        results_folder(tmp_path / "out", "r1")


def test_a_loop_of_symlinks_and_a_nul_are_refused(tmp_path):
    (tmp_path / "r1").symlink_to(tmp_path / "r1")
    with pytest.raises(InputError):
        results_folder(tmp_path, "r1")
    with pytest.raises(InputError):
        results_folder("out\0", "r1")


def test_the_output_directory_itself_may_be_a_symlink(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert results_folder(tmp_path / "link", "r1") == tmp_path.resolve() / "real" / "r1"

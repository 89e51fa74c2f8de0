"""The hourly file of a run."""

import hashlib
import sys
import time
from datetime import UTC, datetime, timedelta, timezone
from statistics import median

import numpy as np
import pyarrow.parquet as pq
import pytest

from ecosystemiser.errors import InputError, StoreError
from ecosystemiser.store import files
from ecosystemiser.store.hourly import read_hourly, write_hourly

START = datetime(2018, 1, 1, tzinfo=UTC)


def some_columns(steps=48):
    rng = np.random.default_rng(7)
    return {
        "battery.charge_kwh": rng.random(steps),
        "battery": np.arange(steps) / 3,
        "grid.import_kwh": -np.zeros(steps),
    }


@pytest.fixture
def written(tmp_path):
    return write_hourly(tmp_path / "out" / "r1", some_columns(), START, 3600, {"system_id": "farm", "steps": 48})


def test_what_is_read_is_what_was_written(written):
    series = read_hourly(written.path, written.sha256)
    assert series.columns.keys() == some_columns().keys()
    for name, values in some_columns().items():
        assert series.columns[name].tobytes() == values.tobytes()
    assert series.metadata == {"system_id": "farm", "steps": 48}
    assert series.step_seconds == 3600
    assert series.time[0] == np.datetime64("2018-01-01T00:00:00")
    assert set(np.diff(series.time)) == {np.timedelta64(3600, "s")}


def test_the_report_names_the_file_its_hash_and_size(written):
    content = written.path.read_bytes()
    assert written.path.name == "hourly.parquet"
    assert (written.sha256, written.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert [file.name for file in written.path.parent.iterdir()] == ["hourly.parquet"]


def test_other_programs_can_read_it(written):
    table = pq.read_table(written.path)
    assert str(table.schema.field("time").type) == "timestamp[ms, tz=UTC]"
    assert str(table.schema.field("battery.charge_kwh").type) == "double"


def test_named_columns_are_read_alone_though_names_begin_alike(written):
    assert list(read_hourly(written.path, columns=["battery"]).columns) == ["battery"]
    assert list(read_hourly(written.path, columns=[]).columns) == []
    with pytest.raises(InputError, match=r"'batery'.*use some of battery"):
        read_hourly(written.path, columns=["batery"])


def test_a_file_is_replaced_whole(written):
    again = write_hourly(written.path.parent, {"x": np.ones(3)}, START, 900)
    assert again.path == written.path
    series = read_hourly(again.path, again.sha256)
    assert series.columns["x"].tolist() == [1.0, 1.0, 1.0]
    assert series.metadata == {}


def test_starts_in_other_zones_become_utc(tmp_path):
    start = datetime(2018, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    series = read_hourly(write_hourly(tmp_path, {"x": np.ones(1)}, start, 3600).path)
    assert series.time[0] == np.datetime64("2017-12-31T23:00:00")
    with pytest.raises(InputError, match="no time zone"):
        write_hourly(tmp_path, {"x": np.ones(1)}, start.replace(tzinfo=None), 3600)


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"a": np.ones(2), "b": np.ones(3)},
        {"a": np.ones((2, 2))},
        {"a": np.float64(1)},
        {"time": np.ones(2)},
    ],
)
def test_columns_that_do_not_fit_together_are_refused(tmp_path, columns):
    with pytest.raises(InputError, match="cannot be written together"):
        write_hourly(tmp_path, columns, START, 3600)
    assert list(tmp_path.iterdir()) == []


def test_every_flipped_byte_is_found_by_the_hash(written):
    whole = written.path.read_bytes()
    for position in range(0, len(whole), max(1, len(whole) // 100)):
        flipped = bytearray(whole)
        flipped[position] ^= 1
        written.path.write_bytes(flipped)
        with pytest.raises(StoreError, match=r"hourly\.parquet.*damaged"):
            read_hourly(written.path, written.sha256)


@pytest.mark.parametrize("kept", [0, 1, 4, 100, -1, -9])
def test_a_truncated_file_is_found_with_and_without_the_hash(written, kept):
    written.path.write_bytes(written.path.read_bytes()[:kept])
    for sha256 in (written.sha256, None):
        with pytest.raises(StoreError, match="damaged"):
            read_hourly(written.path, sha256)


def test_flipped_data_is_found_without_the_hash_too(written):
    flipped = bytearray(written.path.read_bytes())
    flipped[len(flipped) // 4] ^= 1
    written.path.write_bytes(flipped)
    with pytest.raises(StoreError, match="damaged"):
        read_hourly(written.path)


def test_a_parquet_file_of_others_and_a_missing_one_are_named(written, tmp_path):
    pq.write_table(pq.read_table(written.path).replace_schema_metadata(None), tmp_path / "other.parquet")
    with pytest.raises(StoreError, match=r"other\.parquet"):
        read_hourly(tmp_path / "other.parquet")
    with pytest.raises(StoreError, match="missing"):
        read_hourly(tmp_path / "none.parquet")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_rest(written, monkeypatch, call):
    before = written.path.read_bytes()

    def full(*_):
        raise OSError(files.errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((files.os, "fsync", full) if call == "fsync" else (files.Path, "replace", full)))
    with pytest.raises(StoreError, match="disk is full"):
        write_hourly(written.path.parent, {"x": np.ones(3)}, START, 3600)
    monkeypatch.undo()
    assert written.path.read_bytes() == before
    assert list(written.path.parent.iterdir()) == [written.path]


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_write_cut_short_by_the_system_leaves_the_old_file(written):
    import resource

    before = written.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(StoreError, match="File too large"):
            write_hourly(written.path.parent, {"x": np.random.default_rng(1).random(8760)}, START, 3600)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert written.path.read_bytes() == before
    assert list(written.path.parent.iterdir()) == [written.path]


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "r1").write_text("x")
    with pytest.raises(StoreError, match="r1"):
        write_hourly(tmp_path / "r1", {"x": np.ones(1)}, START, 3600)


def test_a_year_of_twenty_columns_is_written_in_a_fraction_of_its_solve(tmp_path):
    rng = np.random.default_rng(3)
    columns = {f"component_{number}.flow_kwh": rng.random(8760) * 50 for number in range(20)}
    seconds = []
    for number in range(5):
        begun = time.perf_counter()
        write_hourly(tmp_path / str(number), columns, START, 3600)
        seconds.append(time.perf_counter() - begun)
    assert median(seconds) < 0.5  # 0.02 on an idle machine; this only catches a slip of an order of magnitude

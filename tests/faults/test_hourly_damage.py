"""Damaged hourly files are found."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.faults.hourly_damage import READ, VERIFIED
from tests.faults.nursery import Answer


def test_every_damage_is_found_when_the_file_is_read(tmp_path: Path) -> None:
    facts = READ.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert (facts["damaged"], facts["detected"]) == (100, 100)


def test_every_damage_is_found_by_runs_verify(tmp_path: Path) -> None:
    facts = VERIFIED.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert (facts["damaged"], facts["detected"]) == (5, 5)


@pytest.mark.slow
def test_a_reader_that_does_not_compare_the_hash_is_found(tmp_path: Path) -> None:
    def read_whatever_is_there(row: dict[str, Any]) -> None:
        with suppress(OSError, ValueError):
            pq.read_table(row["flows_path"])

    facts = READ.tried_shortly(tmp_path, times=30, read=read_whatever_is_there)
    assert facts["undetected"] == 30


@pytest.mark.slow
def test_a_reader_that_does_not_name_the_file_is_found(tmp_path: Path) -> None:
    def read_plainly(row: dict[str, Any]) -> None:
        pq.read_table(row["flows_path"])

    facts = READ.tried_shortly(tmp_path, times=30, read=read_plainly)
    assert facts["not named"] + facts["undetected"] == 30
    assert facts["undetected"] >= 6  # those that were exchanged, at least


@pytest.mark.slow
def test_a_verification_that_looks_at_nothing_is_found(tmp_path: Path) -> None:
    facts = VERIFIED.tried_shortly(tmp_path, runs=4, verifies=lambda *_, **__: Answer(0, "[]", ""))
    assert facts["undetected"] == 2

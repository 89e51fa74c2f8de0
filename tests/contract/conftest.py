"""The members of the contract suites: executors and stores, one after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.executors import HASTE, MEMBERS, TASKS, Log, Member

from ecosystemiser.jobs.executors import DaskExecutor, Executor, Patience
from ecosystemiser.jobs.executors.dask_cluster import OwnCluster
from ecosystemiser.store.engine import Database, open_database


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a `member` once for each that makes its promise."""
    if "member" in metafunc.fixturenames:
        able = [member for member in MEMBERS if metafunc.definition.name not in member.cannot]
        metafunc.parametrize("member", able, ids=[member.name for member in able])


@pytest.fixture
def _tasks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TASKS))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture(scope="module")  # an idle cluster takes a third of a processor
def dask_cluster() -> Iterator[str]:
    """The address of a Dask cluster of two workers, which come up once for all tests of a file."""
    sys.path.insert(0, str(TASKS))  # where its workers find the tasks
    try:
        cluster = OwnCluster(2)
    finally:
        sys.path.remove(str(TASKS))
    yield cluster.address(60.0)
    cluster.close(2.0)


Make = Callable[[int], Executor]


@pytest.fixture
def make(
    member: Member, log: Log, request: pytest.FixtureRequest, _tasks_can_be_imported: None
) -> Iterator[Callable[..., Executor]]:
    """Make an executor of the member at hand that tells `log`, on workers that may serve other tests, too."""
    made: list[Executor] = []

    def one(workers: int = 2, patience: Patience = HASTE) -> Executor:
        if member.name == "dask":
            address = request.getfixturevalue("dask_cluster")
            executor: Executor = DaskExecutor(address, workers, patience=patience)
        else:
            executor = member.make(workers, patience)
        made.append(executor)
        executor.listen(log)
        return executor

    yield one
    for executor in made:
        executor.close()


@pytest.fixture
def executor(make: Callable[..., Executor]) -> Executor:
    """An executor with two workers."""
    return make()


@pytest.fixture
def single(make: Callable[..., Executor]) -> Executor:
    """An executor that runs one job at a time."""
    return make(1)


@pytest.fixture
def own(member: Member, log: Log, _tasks_can_be_imported: None) -> Iterator[Executor]:
    """An executor with two workers that are nobody else's, as patient as by default."""
    with member.make(2, Patience()) as executor:
        executor.listen(log)
        yield executor


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where nothing is yet: a path, or the URL of an empty database on a server."""
    if request.param == "sqlite":
        return str(tmp_path / "runs.sqlite")
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def database(place: str) -> Iterator[Database]:
    with open_database(place) as opened:
        yield opened

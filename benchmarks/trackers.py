"""One run in the trackers of experiments that people use, each with SQLite as it sets it up itself."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

__all__ = ["TRACKERS", "Tracker"]

Numbers = Mapping[str, float]
Log = Callable[[], None]


@dataclass(frozen=True)
class Tracker:
    """A tracker, and how one run with its parameters and KPIs is logged by it."""

    name: str
    package: str
    how: str
    logging: Callable[[Path, Numbers, Numbers], AbstractContextManager[Log]]
    """From a folder, the parameters and the KPIs to what logs one run."""
    is_limit: bool = True
    """Whether we are held to it; else it informs."""


@contextmanager
def _mlflow(folder: Path, parameters: Numbers, kpis: Numbers) -> Iterator[Log]:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notices of coming versions
        import mlflow

        _quieten("mlflow", "alembic")
        mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
        mlflow.create_experiment("bench", artifact_location=(folder / "artifacts").as_uri())
        mlflow.set_experiment("bench")
        _quieten("mlflow", "alembic")  # again: it sets them up with its store

        def log() -> None:
            mlflow.start_run()
            mlflow.log_params(dict(parameters))
            mlflow.log_metrics(dict(kpis))
            mlflow.end_run()

        yield log


@contextmanager
def _optuna(folder: Path, parameters: Numbers, kpis: Numbers, *, are_apart: bool) -> Iterator[Log]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / f'optuna-{are_apart}.db'}")
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=1), study_name="bench")

    def log() -> None:
        trial = study.ask()
        for name, value in parameters.items():
            trial.suggest_float(name, 0.0, 2 * value)
        for name, value in kpis.items() if are_apart else [("kpis", dict(kpis))]:
            trial.set_user_attr(name, value)
        study.tell(trial, kpis["total_cost"])

    yield log
    storage.engine.dispose()


TRACKERS = (
    Tracker("MLflow", "mlflow", "start_run, log_params, log_metrics of all KPIs at once, end_run", _mlflow),
    Tracker(
        "Optuna",
        "optuna",
        "ask, parameters, a user attribute for each KPI, tell; RDBStorage",
        partial(_optuna, are_apart=True),
    ),
    Tracker(
        "Optuna in one",
        "optuna",
        "all KPIs within one user attribute, where none can be asked for by itself",
        partial(_optuna, are_apart=False),
        is_limit=False,
    ),
)


def _quieten(*names: str) -> None:
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)

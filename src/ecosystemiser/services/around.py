"""A study around a run: the run's system as the log describes it, with the fields that it set, is the study's base."""

from __future__ import annotations

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.orders import GivenSystem
from ecosystemiser.services.run_words import run_named
from ecosystemiser.services.stored_runs import StoredRun

__all__ = ["with_run_as_base"]

NOT_OF_THE_RUN = frozenset({"system", "system_id", "parameters", "run_id", "study_id"})
"""What `base_config` cannot say otherwise than the run."""


def with_run_as_base(database: DatabaseMetadataService, config: StudyConfig) -> tuple[StudyConfig, GivenSystem | None]:
    """Return a study with the run in `around` as its base, and that run's system; others as they are, and None.

    `around` then holds the run's whole id. The base is what the run was made from: the system before its variation,
    the fields that it set, how it was solved. What `base_config` sets explicitly stands over that, field by field of
    the system, but for the system itself. Raises InputError where the word names no run or several, the run has no
    description, or a file that its system names is not as it was.
    """
    if config.around is None:
        return config, None
    stored = StoredRun.of(_run(database, config.around))
    if changes := stored.changed_files():
        remedy = "put it back as it was, run the system as it is now, and take that run"
        raise InputError([Finding(str(change), remedy, "around", stored.run_id) for change in changes])
    around = {"around": stored.run_id, "base_config": _base(stored, config.base_config)}
    return config.model_copy(update=around), GivenSystem(stored.document, stored.description.sha256)


def _run(database: DatabaseMetadataService, word: str) -> dict[str, object]:
    try:
        return run_named(database, word)
    except InputError as error:
        found = error.findings[0]
        raise InputError([Finding(found.message, found.remedy, "around", word)]) from None


def _base(stored: StoredRun, asked: SimulationConfig) -> SimulationConfig:
    said = {name: getattr(asked, name) for name in asked.model_fields_set - NOT_OF_THE_RUN}
    fields = {**stored.parameters, **asked.parameters}
    return stored.config.model_copy(update={**said, "parameters": fields, "run_id": None, "study_id": None})

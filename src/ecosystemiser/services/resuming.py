"""Which studies may begin, and which may go on."""

from __future__ import annotations

from collections.abc import Mapping

from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.plain_text import mapping_in
from ecosystemiser.services.provenance import changed_files, describe_system, read_description
from ecosystemiser.services.worker import read_document
from ecosystemiser.store.states import RunStatus

__all__ = ["WORK", "check_is_new", "resumable", "with_designs_of_another"]

WORK = ("workers", "executor", "scheduler")
"""What may be said anew of a study that goes on: who works on it, not what is asked."""


def check_is_new(database: DatabaseMetadataService, study_id: str) -> None:
    """Raise InputError where the log has a study of this name."""
    known = database.get_study_summary(study_id)["study"]
    if known is None:
        return
    status = RunStatus(known["status"])
    remedy = {
        RunStatus.COMPLETED: "give the new study another study_id",
        RunStatus.RUNNING: "wait until it has ended, stop it (study cancel), or give the new study another study_id",
    }.get(status, f"go on with it (ecosystemiser study resume {study_id}), or give the new study another study_id")
    state = "running" if status is RunStatus.RUNNING else status.value
    raise InputError([Finding(f"names a study that is {state}", remedy, "study_id", study_id)])


def resumable(
    database: DatabaseMetadataService, study_id: str, work: Mapping[str, object] | None = None
) -> StudyConfig:
    """Return what a study that may go on was asked to do.

    `work` stands over how it was to be worked on: `workers`, `executor` (with it `scheduler`, else there is none).
    Raises InputError where there is no such study, it is completed or running, its settings cannot be read, its
    system, or a file that this names, is not as it was, or `work` does not go together.
    """
    known = database.get_study_summary(study_id)["study"]
    if known is None:
        raise InputError([Finding("is no study", "see which there are: ecosystemiser study list", "STUDY", study_id)])
    if known["status"] in (RunStatus.COMPLETED, RunStatus.RUNNING):
        remedy = "there is nothing to go on with" if known["status"] == RunStatus.COMPLETED else "it needs no help"
        raise InputError([Finding(f"is {known['status']}", remedy, "STUDY", study_id)])
    try:
        config = StudyConfig.model_validate_json(known["settings_json"] or "")
    except ValueError as error:
        remedy = "run it anew under another study_id"
        raise InputError([Finding("has no settings that can be read", remedy, "STUDY", study_id)]) from error
    _check_is_the_same(database, config)
    return _worked_on(config, work or {})


def _worked_on(config: StudyConfig, work: Mapping[str, object]) -> StudyConfig:
    if unknown := sorted(set(work) - set(WORK)):
        remedy = f"only {', '.join(WORK)} may change"
        raise InputError([Finding("belongs to what the study was asked", remedy, name, work[name]) for name in unknown])
    former = {name: getattr(config, name) for name in WORK}
    if "executor" in work:  # what belongs to another one does not
        former |= {"scheduler": None} | ({"workers": None} if work["executor"] == "inline" else {})
    config = config.model_copy(update={**former, **work})
    if problems := list(config.problems()):
        raise InputError([Finding(each.message, each.remedy, ".".join(map(str, each.place))) for each in problems])
    return config


def with_designs_of_another(database: DatabaseMetadataService, config: StudyConfig) -> StudyConfig:
    """Return a genetic study with the best designs of the study in `start_from` in its first generation.

    Raises InputError where that study has no completed run with all the fields that this one varies.
    """
    settings = config.genetic_algorithm
    if settings is None or settings.start_from is None:
        return config
    kpi, direction = next(iter(settings.objectives.items()))
    order = kpi if direction == "minimise" else f"-{kpi}"
    room = settings.population_size - len(settings.initial_designs)
    rows = database.query_simulation_runs(settings.start_from, status=RunStatus.COMPLETED, order_by=order, limit=room)
    designs = [mapping_in(row["parameters_json"]) for row in rows]
    fields = set(config.parameters)
    known = [{name: design[name] for name in config.parameters} for design in designs if fields <= set(design)]
    if not known:
        remedy = "name a study that varied the same fields, or leave start_from out"
        raise InputError([Finding("has no completed run to start from", remedy, "start_from", settings.start_from)])
    designs_of_both = [*settings.initial_designs, *known]
    return config.model_copy(
        update={
            "genetic_algorithm": settings.model_copy(update={"initial_designs": designs_of_both, "start_from": None})
        }
    )


def _check_is_the_same(database: DatabaseMetadataService, config: StudyConfig) -> None:
    """Raise InputError where the points to come would be of another system than those that were solved."""
    rows = database.query_simulation_runs(config.study_id, limit=1)
    row = database.get_simulation_run(rows[0]["run_id"]) if rows else None
    if row is None or not row["system_json"]:
        return
    stored = read_description(row["system_json"], row["files_json"] or "{}")
    remedy = "put it back as it was, or run the study anew under another study_id"
    findings = [Finding(str(change), remedy, "STUDY", config.study_id) for change in changed_files(stored)]
    if not findings and config.around is None:  # else its system stands in the log
        now = describe_system(read_document(config.base_config.system))
        if now.sha256 != stored.sha256:
            message = f"its system {config.base_config.system} changed since"
            findings.append(Finding(message, remedy, "STUDY", config.study_id))
    if findings:
        raise InputError(findings)

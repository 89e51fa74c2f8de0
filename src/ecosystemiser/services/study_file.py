"""From a study file to a StudyConfig: every key, path and value checked, every problem told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from ecosystemiser.config.distributions import DISTRIBUTIONS, Distribution
from ecosystemiser.config.genetic_settings import GeneticSettings
from ecosystemiser.config.monte_carlo_settings import MonteCarloSettings
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.config.study_config import STUDY_TYPES, UNCHECKED, StudyConfig
from ecosystemiser.config.value_range import ValueRange
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.reader import Document, findings_from_pydantic, read_yaml
from ecosystemiser.services.around import with_run_as_base
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.study_values import Specs, system_findings
from ecosystemiser.services.worker import packaged_systems

__all__ = ["read_study"]

_BASE, _FIELDS = "base_config", "parameters"

SETTINGS: Mapping[str, type[BaseModel]] = {"genetic_algorithm": GeneticSettings, "monte_carlo": MonteCarloSettings}
"""Kinds of studies with settings of their own, held by the field of this name."""

SHORT_KEYS = ("system", "solver_type", "timesteps", "solver")
"""Keys of the file that are short for those of `base_config`, as those of a kind's settings are for it."""

_BASE_KEYS = tuple(name for name in SimulationConfig.model_fields if name not in ("run_id", "study_id"))

_Path = tuple[str | int, ...]


def read_study(
    path: str | Path,
    settings: Mapping[str, object] | None = None,
    database: DatabaseMetadataService | None = None,
) -> StudyConfig:
    """Return the study that the file describes. A relative `system` lies beside the file.

    `settings` stand over what the file says, by the study's fields, as `{"study_id": "again"}`. A study `around` a
    run of the `database` (None: the one in the default place) has that run's system, whatever the file names, and
    how the run was solved where the file says nothing. Raises InputError with all that is wrong in the file, and in
    the system.
    """
    document = read_yaml(Path(path))
    for name, value in (settings or {}).items():
        document = document.with_value((name,), value, f"--{name.replace('_', '-')}")
    layout = _Layout(document)
    specs, findings = _specs(document)
    are_specs_right = not findings
    study, wrong = _study(layout, specs)
    findings += wrong
    if study is not None and are_specs_right:
        findings += [
            document.finding(layout.place(problem.place), problem.message, problem.remedy)
            for problem in study.problems()
        ]
    study, given, wrong = _around(document, study, database)
    findings += wrong
    base = None if wrong else _base_to_check(document, study)
    if base is not None:
        told = {found.key for found in findings}
        tried = system_findings(document, layout.place, base, specs, _distributions(layout), given)
        if given is not None and study is not None:
            tried = [_of_run(found, study.around) for found in tried]
        findings += [found for found in tried if found.file != document.file or found.key not in told]
    if study is None or findings:
        raise InputError(sorted(dict.fromkeys(findings), key=lambda found: _rank(found, document)))
    return study


def _around(
    document: Document, study: StudyConfig | None, database: DatabaseMetadataService | None
) -> tuple[StudyConfig | None, Document | None, list[Finding]]:
    """Return the study with its run as base, that run's system, and what is wrong with the run."""
    if study is None or study.around is None:
        return study, None, []
    try:
        if database is None:
            with DatabaseMetadataService(read_only=True) as own:
                study, given = with_run_as_base(own, study)
        else:
            study, given = with_run_as_base(database, study)
    except InputError as error:
        found = [document.finding(("around",), each.message, each.remedy, each.value) for each in error.findings]
        return study, None, found
    return study, None if given is None else given.document, []


def _of_run(found: Finding, run_id: str | None) -> Finding:
    """Return a finding that says whose system it is that lacks a field; other findings as they are."""
    return found if found.value is not None else replace(found, message=f"{found.message} (of run {run_id})")


class _Layout:
    """Which keys of a study file stand for which fields of the study."""

    def __init__(self, document: Document) -> None:
        self.document = document
        kind = document.data.get("study_type", STUDY_TYPES[0])
        self.is_sound = kind in STUDY_TYPES
        self.kind = str(kind) if self.is_sound else STUDY_TYPES[0]
        own = SETTINGS[self.kind].model_fields if self.kind in SETTINGS else ()
        self.short = dict.fromkeys(SHORT_KEYS, _BASE) | dict.fromkeys(own, self.kind)
        """The section that each short key belongs to."""

    def section(self, name: str) -> Any:
        """Return what the file says of a section: below its name and by short keys."""
        data = self.document.data
        given, short = data.get(name, {}), [key for key, section in self.short.items() if section == name]
        return given | {key: data[key] for key in short if key in data} if isinstance(given, dict) else given

    def keys(self) -> list[str]:
        """Return the keys that may stand at the top."""
        hidden = {_BASE, *SETTINGS} - {self.kind}
        if self.kind in SETTINGS:
            hidden |= {"n_samples", "seed"}
        fields = [name for name in StudyConfig.model_fields if name not in hidden]
        return list(dict.fromkeys([*fields, *self.short]))

    def misplaced(self) -> dict[str, str]:
        """Return keys that belong to studies of another kind only, with the kind."""
        known = self.keys()
        return {
            key: kind
            for kind, model in SETTINGS.items()
            for key in model.model_fields
            if key in self.document.data and key not in known
        }

    def place(self, location: _Path) -> _Path:
        """Return where in the file a field of the study stands, or would stand."""
        if len(location) > 1 and self.short.get(str(location[1])) == location[0]:
            is_long = isinstance(section := self.document.data.get(location[0]), dict) and location[1] in section
            return location if is_long and location[1] not in self.document.data else location[1:]
        return location


def _rank(found: Finding, document: Document) -> tuple[bool, int]:
    """Return where a finding stands among all: those of the study file first, line after line."""
    return found.file != document.file, found.line or 0


def _study(layout: _Layout, specs: Specs) -> tuple[StudyConfig | None, list[Finding]]:
    """Return the study, not checked as a whole; None where there is something wrong with its words."""
    document = layout.document
    findings = list(_base_findings(layout))
    left_out = {*layout.short, *layout.misplaced(), _FIELDS}
    data = {key: value for key, value in document.data.items() if key not in left_out}
    base = layout.section(_BASE)
    data[_BASE] = (
        {key: value for key, value in base.items() if key not in ("run_id", "study_id")}
        if isinstance(base, dict)
        else base
    )
    if layout.kind in SETTINGS:
        data[layout.kind] = layout.section(layout.kind)
    try:
        study = StudyConfig.model_validate({**data, _FIELDS: specs}, context=UNCHECKED)
    except ValidationError as error:
        errors = [{**each, "loc": layout.place(each["loc"])} for each in error.errors(include_url=False)]
        return None, findings + findings_from_pydantic(errors, document, allowed=_Allowed(layout))
    located = study.base_config.model_copy(update={"system": _beside(document, study.base_config.system)})
    is_sound = not any(found.key == "system" for found in findings)
    return (study.model_copy(update={_BASE: located}) if is_sound else None), findings


def _base_to_check(document: Document, study: StudyConfig | None) -> SimulationConfig | None:
    """Return what the study solves; of a study with mistakes the bare system, where it is named at least."""
    if study is not None:
        return study.base_config
    system = None if "around" in document.data else document.data.get("system")
    return SimulationConfig(system=_beside(document, system)) if isinstance(system, str) else None


def _base_findings(layout: _Layout) -> Iterator[Finding]:
    """Find what is said twice or of no use here, ids that a study gives by itself, and a system that is not named."""
    document = layout.document
    for name, section in layout.short.items():
        given = document.data.get(section)
        if isinstance(given, dict) and name in given and name in document.data:
            yield document.finding((name,), f"stands in {section} too", "leave one of the two out")
    for name, kind in layout.misplaced().items():
        if layout.is_sound:  # else any kind may be meant
            yield document.finding((name,), f"belongs to study_type: {kind}", "set that, or leave it out")
    base = document.data.get(_BASE)
    base = base if isinstance(base, dict) else {}
    for name in ("run_id", "study_id"):
        if name in base:
            yield document.finding((_BASE, name), "is not a known key", "leave it out: a study names its runs itself")
    if "system" not in base and "system" not in document.data and document.data.get("around") is None:
        names = ", ".join(packaged_systems())
        yield document.finding(("system",), "is missing", f"add 'system:' and a system file, or one of {names}")


class _Allowed:
    """Tells the keys that may stand in each mapping of a study file."""

    def __init__(self, layout: _Layout) -> None:
        self._layout = layout

    def __call__(self, path: _Path) -> Sequence[str]:
        """Return the keys that may stand in the mapping at `path`."""
        if path == ():
            return self._layout.keys()
        if path == (_BASE,):
            return _BASE_KEYS
        if path[-1] == "solver":
            return tuple(SolverOptions.model_fields)
        if path[0] in SETTINGS and len(path) == 1:
            return tuple(SETTINGS[str(path[0])].model_fields)
        if len(path) > 1 and path[-2] == "distributions":
            spec = self._layout.document.value(path)
            model = DISTRIBUTIONS.get(spec.get("distribution")) if isinstance(spec, dict) else None
            return tuple(model.model_fields) if model is not None else ()
        return ()


def _beside(document: Document, system: str | Path) -> str | Path:
    """Return the system's name if it is packaged, else its path from the study file's folder."""
    is_packaged = isinstance(system, str) and system in packaged_systems()
    return system if is_packaged else Path(document.file).parent / system


def _specs(document: Document) -> tuple[Specs, list[Finding]]:
    """Return the values of each varied field, those that are wrong left out; none of them is built here."""
    section = document.data.get(_FIELDS, {})
    if not isinstance(section, dict):
        remedy = "write fields and their values below it, as battery.capacity_kwh: [0, 40, 80]"
        return {}, [document.finding((_FIELDS,), "holds no fields", remedy)]
    specs: Specs = {}
    findings: list[Finding] = []
    for name, spec in section.items():
        place = (_FIELDS, name)
        if isinstance(spec, list) and spec:
            specs[name] = spec
        elif isinstance(spec, dict):
            try:
                specs[name] = ValueRange.model_validate(spec)
            except ValidationError as error:
                errors = error.errors(include_url=False)
                findings += findings_from_pydantic(errors, document, place, lambda _: _RANGE_KEYS)
        else:
            told = "has no values" if spec in (None, []) else "is no list of values"
            remedy = "write a list, as [0, 40, 80], or {from: 0, to: 80, count: 3}"
            findings.append(document.finding(place, told, remedy, spec or None))
    return specs, findings


_RANGE_KEYS = ("from", "to", "count", "integer")


def _distributions(layout: _Layout) -> dict[str, Distribution]:
    """Return the distributions that can be read, also where other words of the study are wrong."""
    settings = layout.section("monte_carlo") if layout.kind == "monte_carlo" else {}
    section = settings.get("distributions") if isinstance(settings, dict) else None
    adapter: TypeAdapter[Distribution] = TypeAdapter(Distribution)
    found: dict[str, Distribution] = {}
    for name, spec in section.items() if isinstance(section, dict) else ():
        try:
            found[name] = adapter.validate_python(spec)
        except ValidationError:
            continue  # told by whoever reads the study as a whole
    return found

"""From a study file to a StudyConfig: every key, path and value checked, every problem told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.config.study_config import MOST_POINTS, StudyConfig, ValueRange
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.loading import SystemLoader, with_values
from ecosystemiser.reader import Document, findings_from_pydantic, read_yaml
from ecosystemiser.services.worker import Workbench, packaged_systems, read_document

__all__ = ["read_study"]

SHORT_KEYS = ("system", "solver_type", "timesteps", "solver")
"""Keys of the file that are short for those of `base_config`."""

LATER_TYPES: Mapping[str, tuple[str, ...]] = {
    "genetic_algorithm": ("objectives", "constraints", "population_size", "max_generations", "seed"),
    "monte_carlo": ("distributions", "n_samples", "sampling", "seed", "sensitivity"),
}
"""Kinds of studies that come later, and the keys that only they have."""

MOST_TRIED = 100
"""Values of each field that are tried on the system before the first run; a wrong one after them fails its run."""

_BASE, _FIELDS = "base_config", "parameters"
_STUDY_KEYS = (*(name for name in StudyConfig.model_fields if name != _BASE), *SHORT_KEYS)
_BASE_KEYS = tuple(name for name in SimulationConfig.model_fields if name not in ("run_id", "study_id"))

_Path = tuple[str | int, ...]
_Specs = dict[str, list[Any] | ValueRange]


def read_study(path: str | Path, settings: Mapping[str, object] | None = None) -> StudyConfig:
    """Return the study that the file describes. A relative `system` lies beside the file.

    `settings` stand over what the file says, by the study's fields, as `{"study_id": "again"}`. Raises InputError
    with all that is wrong in the file, and in the system that it names.
    """
    document = read_yaml(Path(path))
    for name, value in (settings or {}).items():
        document = document.with_value((name,), value, f"--{name.replace('_', '-')}")
    specs, findings = _specs(document)
    study, wrong = _study(document)
    findings += wrong
    base = _base_to_check(document, study)
    if base is not None:
        findings += _system_findings(document, base, specs)
    if study is None or findings:
        raise InputError(sorted(dict.fromkeys(findings), key=lambda found: _rank(found, document)))
    return StudyConfig.model_validate({**dict(study), _FIELDS: specs})


def _rank(found: Finding, document: Document) -> tuple[bool, int]:
    """Return where a finding stands among all: those of the study file first, line after line."""
    return found.file != document.file, found.line or 0


def _study(document: Document) -> tuple[StudyConfig | None, list[Finding]]:
    """Return the study without the fields that it varies; None where there is something wrong with it."""
    kind = document.data.get("study_type")
    later = LATER_TYPES.get(kind) if isinstance(kind, str) else None
    findings = list(_base_findings(document))
    if later is not None:
        findings.append(document.finding(("study_type",), "comes later", "use parametric", kind))
    left_out = (*SHORT_KEYS, _FIELDS, *((*later, "study_type") if later is not None else ()))
    data = {key: value for key, value in document.data.items() if key not in left_out}
    short = {name: document.data[name] for name in SHORT_KEYS if name in document.data}
    base = document.data.get(_BASE, {})
    if isinstance(base, dict):
        data[_BASE] = {key: value for key, value in (base | short).items() if key not in ("run_id", "study_id")}
    try:
        study = StudyConfig.model_validate(data)
    except ValidationError as error:
        errors = [{**each, "loc": _place(each["loc"], short)} for each in error.errors(include_url=False)]
        return None, findings + findings_from_pydantic(errors, document, allowed=_allowed)
    located = study.base_config.model_copy(update={"system": _beside(document, study.base_config.system)})
    is_sound = later is None and not any(found.key == "system" for found in findings)
    return (study.model_copy(update={_BASE: located}) if is_sound else None), findings


def _base_to_check(document: Document, study: StudyConfig | None) -> SimulationConfig | None:
    """Return what the study solves; of a study with mistakes the bare system, where it is named at least."""
    if study is not None:
        return study.base_config
    system = document.data.get("system")
    return SimulationConfig(system=_beside(document, system)) if isinstance(system, str) else None


def _base_findings(document: Document) -> Iterator[Finding]:
    """Find what is said twice, ids that a study gives by itself, and a system that is not named."""
    base = document.data.get(_BASE)
    base = base if isinstance(base, dict) else {}
    for name in SHORT_KEYS:
        if name in base and name in document.data:
            yield document.finding((name,), f"stands in {_BASE} too", "leave one of the two out")
    for name in ("run_id", "study_id"):
        if name in base:
            yield document.finding((_BASE, name), "is not a known key", "leave it out: a study names its runs itself")
    if "system" not in base and "system" not in document.data:
        names = ", ".join(packaged_systems())
        yield document.finding(("system",), "is missing", f"add 'system:' and a system file, or one of {names}")


def _place(location: tuple[int | str, ...], short: Mapping[str, object]) -> tuple[int | str, ...]:
    """Return where in the file stands what pydantic found at `location` of the study."""
    return location[1:] if location[:1] == (_BASE,) and location[1:2] and location[1] in short else location


def _solver_place(document: Document, key: str) -> _Path:
    place = ("solver", key.removeprefix("solver."))
    return place if "solver" in document.data else (_BASE, *place)


def _allowed(path: _Path) -> Sequence[str]:
    if path in ((), (_BASE,)):
        return _BASE_KEYS if path else _STUDY_KEYS
    return tuple(SolverOptions.model_fields) if path[-1] == "solver" else ()


def _beside(document: Document, system: str | Path) -> str | Path:
    """Return the system's name if it is packaged, else its path from the study file's folder."""
    is_packaged = isinstance(system, str) and system in packaged_systems()
    return system if is_packaged else Path(document.file).parent / system


def _specs(document: Document) -> tuple[_Specs, list[Finding]]:
    """Return the values of each varied field, those that are wrong left out; none of them is built here."""
    section = document.data.get(_FIELDS, {})
    if not isinstance(section, dict):
        remedy = "write fields and their values below it, as battery.capacity_kwh: [0, 40, 80]"
        return {}, [document.finding((_FIELDS,), "holds no fields", remedy)]
    specs: _Specs = {}
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
                findings += findings_from_pydantic(errors, document, place, lambda _: ("from", "to", "count"))
        else:
            told = "has no values" if spec in (None, []) else "is no list of values"
            remedy = "write a list, as [0, 40, 80], or {from: 0, to: 80, count: 3}"
            findings.append(document.finding(place, told, remedy, spec or None))
    if len(specs) == len(section):
        findings += _point_findings(document, specs)
    return specs, findings


def _point_findings(document: Document, specs: _Specs) -> Iterator[Finding]:
    """Find zipped values that do not go together, and more points than a study may have."""
    counts = {name: spec.count if isinstance(spec, ValueRange) else len(spec) for name, spec in specs.items()}
    is_zipped = document.data.get("combine") == "zipped"
    if is_zipped and len(set(counts.values())) > 1:
        told = ", ".join(f"{name} has {count:,}" for name, count in counts.items())
        remedy = "give every field as many, or combine: grid"
        yield document.finding((_FIELDS,), f"are zipped, but differ in number: {told}", remedy)
        return
    points = max(counts.values(), default=1) if is_zipped else prod(counts.values())
    if points > MOST_POINTS:
        told = f"make {points:,} points, more than {MOST_POINTS:,}"
        yield document.finding((_FIELDS,), told, "list fewer values, or split the study")


def _system_findings(document: Document, base: SimulationConfig, specs: _Specs) -> list[Finding]:
    """Find what is wrong with the system, with the varied fields and their values, and what its solver cannot do."""
    system_place = ("system",) if "system" in document.data else (_BASE, "system")
    try:
        system = read_document(base.system)
    except InputError as error:
        return [
            document.finding(system_place, found.message, found.remedy, str(base.system))
            if found.line is None and found.key in ("", "system")
            else found
            for found in error.findings
        ]
    loader = SystemLoader(base.timesteps)
    findings: list[Finding] = []
    for name, value in base.parameters.items():
        findings += _tried(document, (_BASE, _FIELDS, name), loader, system, name, value)
    if findings:
        return findings
    try:
        system = with_values(system, base.parameters)
        base_system = loader.load(system)
    except InputError as error:
        return list(error.findings)
    for name, spec in specs.items():
        findings += _value_findings(document, loader, system, name, spec)
    try:
        Workbench().check(base, base_system)
    except InputError as error:
        findings += [
            document.finding(_solver_place(document, found.key), found.message, found.remedy, found.value)
            for found in error.findings
        ]
    return findings


def _value_findings(
    document: Document, loader: SystemLoader, system: Document, name: str, spec: list[Any] | ValueRange
) -> list[Finding]:
    """Find what is wrong with the values of one field; a path that does not exist is told once."""
    place: _Path = (_FIELDS, name)
    tried: list[tuple[_Path, Any]] = (
        [((*place, "from"), spec.first), ((*place, "to"), spec.to)]
        if isinstance(spec, ValueRange)
        else [((*place, at), value) for at, value in enumerate(spec[:MOST_TRIED])]
    )
    findings: list[Finding] = []
    for where, value in tried:
        found = _tried(document, where, loader, system, name, value)
        if any(one.value is None for one in found):
            return [document.finding(place, one.message, one.remedy) for one in found]
        findings += found
    return findings


def _tried(
    document: Document, place: _Path, loader: SystemLoader, system: Document, name: str, value: object
) -> list[Finding]:
    """Return what is wrong with one value itself, at its place in the study file.

    What the rest of the system has against it counts not: another field that varies may set that right.
    """
    source = "a study's value"
    try:
        loader.load(with_values(system, {name: value}, source))
    except InputError as error:
        own = [found for found in error.findings if found.file in (source, None)]
        return [document.finding(place, found.message, found.remedy, found.value) for found in own]
    return []

"""Tries the values of a study's fields on its system, before the first run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ecosystemiser.config.distributions import Discrete, Distribution, LogNormal, Normal
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.value_range import ValueRange
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.loading import SystemLoader, with_values
from ecosystemiser.reader import Document
from ecosystemiser.services.worker import Workbench, read_document

__all__ = ["Specs", "system_findings"]

MOST_TRIED = 100
"""Values of each field that are tried; a wrong one after them fails its run."""

TAILS = {"0.1 %": 0.001, "99.9 %": 0.999}
"""Quantiles of a distribution without ends that are tried."""

Specs = dict[str, list[Any] | ValueRange]
_Path = tuple[str | int, ...]
_Place = Callable[[_Path], _Path]


def system_findings(
    document: Document,
    place_of: _Place,
    base: SimulationConfig,
    specs: Specs,
    distributions: Mapping[str, Distribution],
    given: Document | None = None,
) -> list[Finding]:
    """Find what is wrong with the system, with the varied fields and their values, and what its solver cannot do.

    `place_of` tells where in the study file a field of the study stands; `given` stands in the place of the system
    file that `base` names.
    """
    try:
        system = given or read_document(base.system)
    except InputError as error:
        return [
            document.finding(place_of(("base_config", "system")), found.message, found.remedy, str(base.system))
            if found.line is None and found.key in ("", "system")
            else found
            for found in error.findings
        ]
    trial = _Trial(document, SystemLoader(base.timesteps), system)
    findings: list[Finding] = []
    for name, value in base.parameters.items():
        findings += trial.findings(("base_config", "parameters", name), name, value)
    if findings:
        return findings
    try:
        trial.system = with_values(system, base.parameters)
        base_system = trial.loader.load(trial.system)
    except InputError as error:
        return list(error.findings)
    for name, spec in specs.items():
        findings += trial.field_findings(("parameters", name), name, _values_of(spec))
    for name, distribution in distributions.items():
        place = place_of(("monte_carlo", "distributions", name))
        findings += trial.field_findings(place, name, _values_of_distribution(distribution))
    try:
        Workbench().check(base, base_system)
    except InputError as error:
        findings += [
            document.finding(_solver_place(document, found.key), found.message, found.remedy, found.value)
            for found in error.findings
        ]
    return findings


class _Trial:
    """Sets one field at a time in a system and loads it."""

    def __init__(self, document: Document, loader: SystemLoader, system: Document) -> None:
        self.document, self.loader, self.system = document, loader, system

    def field_findings(self, place: _Path, name: str, values: Iterator[tuple[_Path, str, Any]]) -> list[Finding]:
        """Find what is wrong with the values of one field; a path that does not exist is told once.

        `values`: where below `place` each stands, which of several it is, and the value.
        """
        findings: list[Finding] = []
        for below, label, value in values:
            found = self.findings((*place, *below), name, value, label)
            if any(one.value is None for one in found):
                return [self.document.finding(place, one.message, one.remedy) for one in found]
            findings += found
        return findings

    def findings(self, place: _Path, name: str, value: object, label: str = "") -> list[Finding]:
        """Return what is wrong with one value itself, at its place in the study file.

        What the rest of the system has against it counts not: another field that varies may set that right.
        """
        source = "a study's value"
        try:
            self.loader.load(with_values(self.system, {name: value}, source))
        except InputError as error:
            own = [found for found in error.findings if found.file in (source, None)]
            told = [(found, found.message if found.value is None else f"{found.message}{label}") for found in own]
            return [self.document.finding(place, message, found.remedy, found.value) for found, message in told]
        return []


def _values_of(spec: list[Any] | ValueRange) -> Iterator[tuple[_Path, str, Any]]:
    if isinstance(spec, ValueRange):
        for key, end in (("from", spec.first), ("to", spec.to)):
            yield (key,), "", int(end) if spec.integer else end
    else:
        for at, value in enumerate(spec[:MOST_TRIED]):
            yield (at,), "", value


def _values_of_distribution(spec: Distribution) -> Iterator[tuple[_Path, str, Any]]:
    if isinstance(spec, Normal | LogNormal):
        from ecosystemiser.study.distributions import quantiles

        for label, value in zip(TAILS, quantiles(spec, np.array(list(TAILS.values()))), strict=True):
            yield (), f" (its {label} quantile; cut it off by minimum and maximum)", value
    elif isinstance(spec, Discrete) or spec.distribution == "empirical":
        for at, value in enumerate(spec.values[:MOST_TRIED]):
            yield ("values", at), "", value
    else:
        yield ("minimum",), "", spec.minimum
        yield ("maximum",), "", spec.maximum


def _solver_place(document: Document, key: str) -> _Path:
    place = ("solver", key.removeprefix("solver."))
    return place if "solver" in document.data else ("base_config", *place)

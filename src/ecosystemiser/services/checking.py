"""What is asked, read and explained before anything is solved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import ValidationError

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.compiling import capital_recovery_factor
from ecosystemiser.model.components import Component
from ecosystemiser.model.kinds import Converter, Exchange, Floats, Kind, Sink, Source, Storage
from ecosystemiser.model.loading import load_system, with_values
from ecosystemiser.model.oddities import oddities_in
from ecosystemiser.model.profiles.packaged import provenance
from ecosystemiser.model.system import System
from ecosystemiser.reader import Document, findings_from_pydantic, parse_value
from ecosystemiser.services.simulation_service import read_document
from ecosystemiser.units import Unit, amount_unit, rate_unit

__all__ = [
    "COMPOSED_YEAR",
    "BusSummary",
    "ComponentSummary",
    "Explanation",
    "HourlySum",
    "ProfileUse",
    "Size",
    "explain",
    "oddities_of_config",
    "parsed_values",
    "requested",
]

COMPOSED_YEAR = (
    "A composed year: reference weather, standard load profiles, and prices and rain measured at other places and "
    "in other years, put on one calendar. Each series is true to its source; that they meet in the same hour is "
    "not, so what depends on their coincidence (a cold, still evening at a high price) is not real."
)
"""What must be said wherever packaged series are used."""

_SIZE_UNITS = ("kW", "kWh", "m2", "m3", "m3/h")


@dataclass(frozen=True)
class Size:
    """One size of one unit of a component, such as `capacity_kwh`."""

    field: str
    value: float
    unit: str


@dataclass(frozen=True)
class ComponentSummary:
    """One component of the file. An absent one has size 0 and is left out of the system."""

    name: str
    type: str
    count: int
    sizes: tuple[Size, ...]
    buses: tuple[str, ...]
    cost_per_year: float
    """Annuity of the capital and fixed operation."""
    is_absent: bool = False


@dataclass(frozen=True)
class BusSummary:
    """A bus and what stands on it."""

    name: str
    carrier: str
    gives: tuple[str, ...]
    takes: tuple[str, ...]
    stores: tuple[str, ...]


@dataclass(frozen=True)
class HourlySum:
    """What a demand asks for, or what a local source could give, over the hours of the run."""

    component: str
    bus: str
    total: float
    unit: str
    peak: float
    """Largest mean rate of a step."""
    peak_unit: str


@dataclass(frozen=True)
class ProfileUse:
    """A packaged series, or a column of a user's file, and which fields use it."""

    name: str
    used_by: tuple[str, ...]
    is_packaged: bool
    nature: str = ""
    """measured, reference, generated; of a weather set all that occur."""
    what: str = ""
    credit: str = ""


@dataclass(frozen=True)
class Explanation:
    """What a system file says, for people; nothing was solved."""

    system_id: str
    description: str
    file: str
    start: str
    """Local time at which the first step starts."""
    end: str
    """Local time at which the last step ends."""
    timezone: str
    steps: int
    step_s: int
    is_full_year: bool
    currency: str
    components: tuple[ComponentSummary, ...]
    buses: tuple[BusSummary, ...]
    demands: tuple[HourlySum, ...]
    potentials: tuple[HourlySum, ...]
    profiles: tuple[ProfileUse, ...]
    composed_year: str | None
    """`COMPOSED_YEAR` where packaged series are used."""
    oddities: tuple[Finding, ...] = ()
    """What is seldom meant, with its place and a remedy."""


def parsed_values(assignments: Iterable[str], source: str = "--set") -> dict[str, object]:
    """Return fields by path from texts such as `battery.capacity_kwh=100`, read by the rules of a system file.

    Of a path that is given twice the later value counts. Raises InputError with all that is wrong.
    """
    values: dict[str, object] = {}
    findings: list[Finding] = []
    for text in assignments:
        path, separator, value = (part.strip() for part in text.partition("="))
        if not separator or not path:
            remedy = "write PATH=VALUE, as battery.capacity_kwh=100"
            findings.append(Finding("does not assign a value", remedy, value=text, file=source))
            continue
        try:
            values[path] = parse_value(value, source)
        except InputError as error:
            findings += [Finding(found.message, found.remedy, path, value, source) for found in error.findings]
    if findings:
        raise InputError(findings)
    return values


def requested(fields: Mapping[str, Any], source: str = "command line") -> SimulationConfig:
    """Return the configuration with these fields. Raises InputError with all that is wrong, keys as in the config."""
    try:
        return SimulationConfig(**fields)
    except ValidationError as error:
        document = Document(dict(fields), source)
        raise InputError(findings_from_pydantic(error.errors(include_url=False), document)) from error


def explain(config: SimulationConfig) -> Explanation:
    """Return what the system that `config` names consists of. Raises InputError with everything that is wrong."""
    document = with_values(read_document(config.system), config.parameters)
    system = load_system(document, steps=config.timesteps)
    clock = system.clock
    zone = ZoneInfo(clock.timezone)
    end = clock.start_utc + timedelta(seconds=clock.step_s * clock.steps)
    profiles = tuple(_profiles(system))
    return Explanation(
        system_id=config.system_id or system.system_id,
        description=system.head.description,
        file=document.file,
        start=f"{clock.start_utc.astimezone(zone):%Y-%m-%d %H:%M}",
        end=f"{end.astimezone(zone):%Y-%m-%d %H:%M}",
        timezone=clock.timezone,
        steps=clock.steps,
        step_s=clock.step_s,
        is_full_year=clock.is_full_year,
        currency=system.economics.currency,
        components=tuple(_components(document, system)),
        buses=tuple(_bus(system, bus) for bus in system.buses),
        demands=tuple(_sum(system, kind, kind.demand.values(clock.steps)) for kind in _sinks(system)),
        potentials=tuple(_sum(system, kind, kind.available.values(clock.steps)) for kind in _local_sources(system)),
        profiles=profiles,
        composed_year=COMPOSED_YEAR if any(profile.is_packaged for profile in profiles) else None,
        oddities=oddities_in(document, system),
    )


def oddities_of_config(config: SimulationConfig) -> tuple[Finding, ...]:
    """Return what is odd about the system that `config` names. Raises InputError for what is wrong."""
    document = with_values(read_document(config.system), config.parameters)
    return oddities_in(document, load_system(document, steps=config.timesteps))


def _components(document: Document, system: System) -> Iterator[ComponentSummary]:
    """Yield all components in the order of the file."""
    for name, data in document.data["components"].items():
        component = system.components.get(name)
        if component is None:
            yield ComponentSummary(name, str(data["type"]), int(data.get("count", 1)), (), (), 0.0, is_absent=True)
            continue
        held = component.investment()
        factor = capital_recovery_factor(system.economics.discount_rate, held.lifetime_years)
        cost = held.capital * factor + held.fixed_per_year
        buses = dict.fromkeys(bus for kind in system.kinds if kind.name == name for bus in _buses(kind))
        yield ComponentSummary(name, component.type, component.count, _sizes(component), tuple(buses), cost)


def _sizes(component: Component) -> tuple[Size, ...]:
    """Return the fields that say how large a component is, told by their units; one of 0 says nothing."""
    found = []
    for name, field in type(component).model_fields.items():
        value = getattr(component, name)
        units = [part.symbol for part in (*field.metadata, *_annotations(field.annotation)) if isinstance(part, Unit)]
        if units and units[0] in _SIZE_UNITS and isinstance(value, float | int) and value:
            found.append(Size(name, float(value), units[0]))
    return tuple(found)


def _annotations(annotation: Any) -> Iterator[object]:
    """Yield what stands beside the types in `Annotated[...] | None`."""
    for part in get_args(annotation):
        yield from getattr(part, "__metadata__", ())


def _buses(kind: Kind) -> list[str]:
    return [kind.bus, *(output.bus for output in kind.outputs)] if isinstance(kind, Converter) else [kind.bus]


def _bus(system: System, bus: str) -> BusSummary:
    gives, takes, stores = [], [], []
    for kind in system.kinds:
        if isinstance(kind, Converter):
            gives += [kind.name] * any(output.bus == bus for output in kind.outputs)
            takes += [kind.name] * (kind.bus == bus)
        elif kind.bus != bus:
            continue
        elif isinstance(kind, Storage):
            stores.append(kind.name)
        elif isinstance(kind, Exchange):
            gives += [kind.name] * (kind.import_limit.highest() > 0)
            takes += [kind.name] * (kind.export_limit.highest() > 0)
        else:
            (gives if isinstance(kind, Source) else takes).append(kind.name)
    return BusSummary(bus, str(system.buses[bus]), tuple(gives), tuple(takes), tuple(stores))


def _sinks(system: System) -> list[Sink]:
    """Return the demands, all that is used up included."""
    return [kind for kind in system.kinds if isinstance(kind, Sink) and np.isfinite(kind.demand.highest())]


def _local_sources(system: System) -> list[Source]:
    sources = [kind for kind in system.kinds if isinstance(kind, Source) and not kind.is_bought]
    return [kind for kind in sources if np.isfinite(kind.available.highest())]


def _sum(system: System, kind: Sink | Source, amounts: Floats) -> HourlySum:
    carrier = system.buses[kind.bus]
    unit = amount_unit(carrier).replace("kwh", "kWh")
    peak_unit = rate_unit(carrier).replace("_per_", "/").replace("kw", "kW")
    peak = float(amounts.max()) / system.clock.step_h
    return HourlySum(kind.name, kind.bus, float(amounts.sum()), unit, peak, peak_unit)


def _profiles(system: System) -> Iterator[ProfileUse]:
    """Yield every series that is named, packaged ones with their provenance, in the order of the file."""
    rows: dict[str, list[dict[str, str]]] = {}
    for row in provenance():
        rows.setdefault(row["profile"], []).append(row)
        rows.setdefault(row["column"], [row])
    used: dict[str, list[str]] = {}
    if system.head.site.weather is not None:
        used[system.head.site.weather] = ["site.weather"]
    for name, component in system.components.items():
        for field, value in component.model_dump().items():
            for series in _named(field, value, rows):
                used.setdefault(series, []).append(f"{name}.{field}")
    for series, users in used.items():
        told = rows.get(series, [])
        distinct = {key: "; ".join(dict.fromkeys(row[key] for row in told)) for key in ("what_was_done", "credit")}
        nature = ", ".join(dict.fromkeys(row["nature"] for row in told))
        where = tuple(dict.fromkeys(users))
        yield ProfileUse(series, where, bool(told), nature, distinct["what_was_done"], distinct["credit"])


def _named(field: str, value: object, packaged: Mapping[str, object]) -> Iterator[str]:
    """Yield the packaged series and the files that a field's value names, however deep."""
    if isinstance(value, Mapping):
        if "file" in value and "column" in value:
            yield f"{value['file']}:{value['column']}"
            return
        for inner in value.values():
            yield from _named(field, inner, packaged)
    elif isinstance(value, str) and value in packaged and field not in ("type", "bus", "input", "output"):
        yield value

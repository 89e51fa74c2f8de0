"""From a document to a System: every field checked, every series resolved, every problem told at once."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.checks import check_system
from ecosystemiser.model.components import Component, component_types
from ecosystemiser.model.kinds import Converter, Kind, buses_of
from ecosystemiser.model.placed import Placed
from ecosystemiser.model.site import BuildSite
from ecosystemiser.model.system import System, SystemHead
from ecosystemiser.names import did_you_mean
from ecosystemiser.reader import Document
from ecosystemiser.reader.validation import findings_from_pydantic

__all__ = [
    "Part",
    "Reading",
    "SystemLoader",
    "field_path",
    "load_system",
    "misplacements",
    "system_of",
    "with_values",
]

MOST_STEPS = 1_000_000
KEPT_SITES = 4
"""Sites that a loader remembers, where variations change weather or calendar."""

Path_ = tuple[str | int, ...]


def with_values(document: Document, values: Mapping[str, object], source: str = "--set") -> Document:
    """Return `document` with fields set by their paths, such as `battery.capacity_kwh` or `economics.discount_rate`.

    Raises InputError for a path whose component or section the file does not hold.
    """
    findings: list[Finding] = []
    by_path: dict[Path_, object] = {}
    for name, value in values.items():
        path = field_path(document, name)
        if isinstance(path, Finding):
            findings.append(path)
        else:
            by_path.pop(path, None)  # one field by two names: the later one holds
            by_path[path] = value
    if findings:
        raise InputError(findings)
    return document.with_values(by_path, source)


def field_path(document: Document, name: str) -> Path_ | Finding:
    """Return where the field `name` stands, or why it does not stand in `document`."""
    head, *rest = name.split(".")
    components = document.data.get("components")
    components = components if isinstance(components, dict) else {}
    if head == "components" and rest:
        head, *rest = rest
    if head in components and rest and isinstance(components[head], dict):
        return ("components", head, *rest)
    if head in SystemHead.model_fields and (rest or head not in ("time", "site", "economics", "buses")):
        return (head, *rest)
    known = [*components, *(field for field in SystemHead.model_fields if field != "buses")]
    example = f"{next(iter(components), 'battery')}.capacity_kwh"
    remedy = f"{did_you_mean(head, known)}write COMPONENT.FIELD, as {example}; known here: {', '.join(known)}"
    return Finding("is no field of this system", remedy, name)


def load_system(document: Document, *, steps: int | None = None) -> System:
    """Return the System that `document` describes, over its first `steps` steps if given.

    Raises InputError with everything that is wrong, each with file, line, key, value and remedy.
    """
    return SystemLoader(steps).load(document)


class Part(NamedTuple):
    """A section of a file and the component that it became."""

    section: object
    component: Component
    placed: Placed | None
    """None where its size is 0, which removes it."""


class Reading(NamedTuple):
    """A document as it was read."""

    system: System
    site: BuildSite
    parts: dict[str, Part]
    """By the name of the component, in the order of the file."""


class SystemLoader:
    """Loads a document and variations of it: what `with_values` left as it was is not read again.

    Unchanged parts of two documents are the same objects, so identity tells what is known: the head, with the site
    whose weather and profiles components were resolved on, and components with their kinds.
    """

    def __init__(self, steps: int | None = None) -> None:
        self._steps = steps
        self._head_parts: list[Any] = []
        self._head: SystemHead | None = None
        self._sites: OrderedDict[Hashable, _Place] = OrderedDict()

    def load(self, document: Document) -> System:
        """Return the System that `document` describes. Raises InputError as `load_system` does."""
        return self.read(document).system

    def read(self, document: Document) -> Reading:
        """Return the System that `document` describes, with what it is made of. Raises InputError likewise."""
        head, findings = self._read_head(document)
        sections = document.data.get("components")
        if not isinstance(sections, dict) or not sections:
            remedy = "add components, as `roof_pv: {type: pv, capacity_kw: 60}`"
            findings.append(document.finding(("components",), "holds no components", remedy))
            sections = {}
        place = None if head is None else self._place(document, head)
        found = {name: _part(document, name, section, place) for name, section in sections.items()}
        wrong = [part for part in found.values() if isinstance(part, _Refused)]
        findings += [finding for part in wrong for finding in part.by_fields]
        if head is None or place is None:
            raise InputError(_in_file_order(findings))
        findings += [finding for part in wrong for finding in part.by_site]
        parts = {name: part for name, part in found.items() if isinstance(part, Part)}
        if not findings:
            system = system_of(head, place.site, [part.placed for part in parts.values()], Path(document.file))
            findings = [_placed(document, finding) for finding in check_system(system)]
        if findings:
            raise InputError(_in_file_order(findings))
        return Reading(system, place.site, parts)

    def head(self, document: Document) -> tuple[SystemHead, BuildSite]:
        """Return the head of `document` and the site that it describes. Raises InputError as `load` does."""
        head, findings = self._read_head(document)
        if head is None:
            raise InputError(_in_file_order(findings))
        return head, self._place(document, head).site

    def _read_head(self, document: Document) -> tuple[SystemHead | None, list[Finding]]:
        parts = [part for pair in document.data.items() if pair[0] != "components" for part in pair]
        if self._head is not None and _are_same(parts, self._head_parts):
            return self._head, []
        head, findings = _head(document, {key: value for key, value in document.data.items() if key != "components"})
        if head is not None:
            self._head, self._head_parts = head, parts
        return head, findings

    def _place(self, document: Document, head: SystemHead) -> _Place:
        """Return the site that components are resolved on, and those that were; the known one where it is no other."""
        key = (head.time, head.site, tuple(head.buses.items()), document.file)
        place = self._sites.pop(key, None)
        if place is None:
            if self._steps is not None and not 1 <= self._steps <= MOST_STEPS:
                raise InputError([Finding("is no number of steps", "take 1 or more", "timesteps", self._steps)])
            clock, folder = head.time.clock(self._steps), Path(document.file).parent
            place = _Place(BuildSite(clock, head.site, head.buses, folder, listed_steps=head.time.steps))
        self._sites[key] = place
        if len(self._sites) > KEPT_SITES:
            self._sites.popitem(last=False)
        return place


class _Place:
    """A site, and what sections of the file became on it."""

    def __init__(self, site: BuildSite) -> None:
        self.site = site
        self.known: dict[str, Part] = {}


class _Refused(NamedTuple):
    """What is wrong with a component."""

    by_fields: Sequence[Finding] = ()
    by_site: Sequence[Finding] = ()
    """What its fields together, or the site, do not allow."""


def system_of(head: SystemHead, site: BuildSite, placed: Iterable[Placed | None], file: Path) -> System:
    """Return the system of components on a site; those that are None are absent."""
    present = tuple([one for one in placed if one is not None])
    return System(head, site.clock, present, {bus: site.buses[bus] for one in present for bus in one.buses}, file)


def _part(document: Document, name: str, section: object, place: _Place | None) -> Part | _Refused | None:
    """Return what a section became; None where it is sound and the site is not known."""
    known = None if place is None else place.known.get(name)
    if known is not None and known.section is section:
        return known
    component = _component(document, name, section)
    if isinstance(component, _Refused) or place is None:
        return component if isinstance(component, _Refused) else None
    placed: Placed | None = None
    if not component.is_absent:
        try:
            kinds = component.kinds(name, place.site)
        except InputError as error:
            found = [_placed(document, _under(f"components.{name}", finding)) for finding in error.findings]
            return _Refused(by_site=found)
        misplaced = [finding for kind in kinds for finding in misplacements(name, kind, component, place.site)]
        if misplaced:
            return _Refused(by_site=[_placed(document, finding) for finding in misplaced])
        placed = Placed.of(name, component, kinds)
    part = place.known[name] = Part(section, component, placed)
    return part


def _are_same(parts: Sequence[object], others: Sequence[object]) -> bool:
    return len(parts) == len(others) and all(one is other for one, other in zip(parts, others, strict=True))


def _head(document: Document, data: dict[str, Any]) -> tuple[SystemHead | None, list[Finding]]:
    try:
        return SystemHead.model_validate(data), []
    except ValidationError as error:
        return None, _pydantic_findings(error, document, (), SystemHead)


def _component(document: Document, name: str, section: object) -> Component | _Refused:
    place = ("components", name)
    types = component_types()
    if not name.replace("_", "").replace("-", "").isalnum():
        remedy = "use letters, digits, - and _ (a dot separates component and field)"
        return _Refused([document.finding(place, f"{name!r} is no name of a component", remedy)])
    if not isinstance(section, dict) or "type" not in section:
        remedy = f"write `{name}: {{type: ...}}`; types are {', '.join(types)}"
        return _Refused([document.finding(place, "names no type", remedy)])
    word = section["type"]
    kind = types.get(word) if isinstance(word, str) else None
    if kind is None:
        remedy = f"{did_you_mean(str(word), types)}types are {', '.join(types)}"
        return _Refused([document.finding((*place, "type"), "is no type of component", remedy, value=word)])
    try:
        return kind.model_validate(section)
    except ValidationError as error:
        return _Refused(_pydantic_findings(error, document, place, kind))


def _pydantic_findings(
    error: ValidationError, document: Document, prefix: Path_, model: type[BaseModel]
) -> list[Finding]:
    def allowed(path: Path_) -> Sequence[str]:
        return _fields_at(model, path[len(prefix) :])

    return findings_from_pydantic(error.errors(include_url=False), document, prefix, allowed=allowed)


def _fields_at(model: type[BaseModel], path: Path_) -> list[str]:
    """Return the names of the fields that may stand at `path` below a model; of a union, those of all members."""
    models = [model]
    for step in path:
        if isinstance(step, str):  # the entries of a list are of the field's own models
            fields = [above.model_fields[step] for above in models if step in above.model_fields]
            models = [nested for field in fields for nested in _models_in(field.annotation)]
    names = list(dict.fromkeys(name for nested in models for name in nested.model_fields))
    return [*names, "components"] if model is SystemHead and not path else names


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]


def misplacements(name: str, kind: Kind, component: Component, site: BuildSite) -> list[Finding]:
    """Find buses that do not exist or carry something else than the component handles."""
    findings = []
    for bus in buses_of(kind):
        key = "input" if isinstance(kind, Converter) and bus == kind.bus else "bus"
        try:
            carrier = site.carrier(bus, key)
        except InputError as error:
            findings += [_under(f"components.{name}", found) for found in error.findings]
            continue
        if key == "bus" and component.carrier is not None and carrier is not component.carrier:
            remedy = f"name a bus of {component.carrier} for a component of type {component.type}"
            findings.append(Finding(f"carries {carrier}", remedy, f"components.{name}.bus", bus))
        if key == "input" and component.input_carriers is not None and carrier not in component.input_carriers:
            remedy = f"name a bus of {' or '.join(sorted(component.input_carriers))}"
            findings.append(Finding(f"carries {carrier}", remedy, f"components.{name}.input", bus))
    return findings


def _under(prefix: str, finding: Finding) -> Finding:
    """Put the key of a component's finding below the component; one about the site stays the site's."""
    if finding.key.startswith("site."):
        return finding
    key = f"{prefix}.{finding.key}" if finding.key else prefix
    return Finding(finding.message, finding.remedy, key, finding.value, finding.file, finding.line)


def _placed(document: Document, finding: Finding) -> Finding:
    """Give a finding of ours the file and line of its key; one about another file keeps its own place."""
    if finding.file is not None:
        return finding
    place = document.finding(_path(finding.key), finding.message, finding.remedy, value=finding.value)
    return Finding(finding.message, finding.remedy, finding.key, finding.value, place.file, place.line)


def _path(key: str) -> Path_:
    """Return the path that `key` shows: `grid.periods[1].price` is ("grid", "periods", 1, "price")."""
    parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", key.partition(" ")[0])
    return tuple(int(index) if index else name for index, name in parts)


def _in_file_order(findings: Sequence[Finding]) -> list[Finding]:
    """Return each finding once: two components may ask for the same wrong thing of the site."""
    told = {str(finding): finding for finding in findings}
    return sorted(told.values(), key=lambda finding: (finding.file or "", finding.line or 0))

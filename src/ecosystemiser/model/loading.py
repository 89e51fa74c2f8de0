"""From a document to a System: every field checked, every series resolved, every problem told at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.checks import check_system
from ecosystemiser.model.components import Component, component_types
from ecosystemiser.model.kinds import Converter, Kind
from ecosystemiser.model.site import BuildSite
from ecosystemiser.model.system import System, SystemHead
from ecosystemiser.names import did_you_mean
from ecosystemiser.reader import Document
from ecosystemiser.reader.validation import findings_from_pydantic
from ecosystemiser.units import BUSES, Carrier

__all__ = ["SystemLoader", "load_system", "with_values"]

MOST_STEPS = 1_000_000

Path_ = tuple[str | int, ...]


def with_values(document: Document, values: Mapping[str, object], source: str = "--set") -> Document:
    """Return `document` with fields set by their paths, such as `battery.capacity_kwh` or `economics.discount_rate`.

    Raises InputError for a path whose component or section the file does not hold.
    """
    findings = []
    for name, value in values.items():
        path = _field_path(document, name)
        if isinstance(path, Finding):
            findings.append(path)
        else:
            document = document.with_value(path, value, source)
    if findings:
        raise InputError(findings)
    return document


def _field_path(document: Document, name: str) -> Path_ | Finding:
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


class SystemLoader:
    """Loads a document and variations of it: what `with_values` left as it was is not read again.

    Unchanged parts of two documents are the same objects, so identity tells what is known: components with their
    kinds, and the head with the site whose weather and profiles they were resolved on.
    """

    def __init__(self, steps: int | None = None) -> None:
        self._steps = steps
        self._head_parts: list[Any] = []
        self._head: SystemHead | None = None
        self._site: BuildSite | None = None
        self._components: dict[str, tuple[object, Component]] = {}
        self._kinds: dict[str, tuple[Component, tuple[Kind, ...]]] = {}

    def load(self, document: Document) -> System:
        """Return the System that `document` describes. Raises InputError as `load_system` does."""
        head, site, findings = self._placed_head(document)
        components, component_findings = self._all_components(document)
        findings += component_findings
        if head is None or site is None:
            raise InputError(_in_file_order(findings))
        system, refused = self._build(document, head, site, components)
        findings += refused
        findings = findings or [_placed(document, finding) for finding in check_system(system)]
        if findings:
            raise InputError(_in_file_order(findings))
        return system

    def _placed_head(self, document: Document) -> tuple[SystemHead | None, BuildSite | None, list[Finding]]:
        """Return the head and the site that components are resolved on; the known ones where nothing changed."""
        data = {key: value for key, value in document.data.items() if key != "components"}
        parts = [part for pair in data.items() for part in pair]
        if self._head is not None and _are_same(parts, self._head_parts):
            return self._head, self._site, []
        head, findings = _head(document, data)
        if head is None:
            return None, None, findings
        if self._steps is not None and not 1 <= self._steps <= MOST_STEPS:
            raise InputError([Finding("is no number of steps", "take 1 or more", "timesteps", self._steps)])
        folder = Path(document.file).parent
        site = BuildSite(head.time.clock(self._steps), head.site, head.buses, folder, listed_steps=head.time.steps)
        self._head, self._site, self._head_parts = head, site, parts
        self._kinds.clear()
        return head, site, findings

    def _all_components(self, document: Document) -> tuple[dict[str, Component], list[Finding]]:
        section = document.data.get("components")
        if not isinstance(section, dict) or not section:
            remedy = "add components, as `roof_pv: {type: pv, capacity_kw: 60}`"
            return {}, [document.finding(("components",), "holds no components", remedy)]
        components: dict[str, Component] = {}
        findings: list[Finding] = []
        for name, data in section.items():
            known = self._components.get(name)
            if known is not None and known[0] is data:
                components[name] = known[1]
                continue
            component, problems = _component(document, name, data)
            findings += problems
            if component is not None:
                components[name] = component
                self._components[name] = (data, component)
        return components, findings

    def _build(
        self, document: Document, head: SystemHead, site: BuildSite, components: Mapping[str, Component]
    ) -> tuple[System, list[Finding]]:
        """Resolve every component into its kinds; collect what each refuses."""
        present = {name: component for name, component in components.items() if not component.is_absent}
        kinds: list[Kind] = []
        findings: list[Finding] = []
        for name, component in present.items():
            try:
                made = self._resolved(name, component, site)
            except InputError as error:
                findings += [_placed(document, _under(f"components.{name}", found)) for found in error.findings]
                continue
            for kind in made:
                findings += [_placed(document, finding) for finding in _misplaced(name, kind, component, site)]
            kinds += made
        buses: dict[str, Carrier] = {}
        if not findings:
            known = {**BUSES, **head.buses}
            buses = {bus: known[bus] for kind in kinds for bus in _buses_of(kind)}
        return System(head, site.clock, present, tuple(kinds), buses, Path(document.file)), findings

    def _resolved(self, name: str, component: Component, site: BuildSite) -> tuple[Kind, ...]:
        known = self._kinds.get(name)
        if known is None or known[0] is not component:
            known = self._kinds[name] = (component, component.kinds(name, site))
        return known[1]


def _are_same(parts: Sequence[object], others: Sequence[object]) -> bool:
    return len(parts) == len(others) and all(one is other for one, other in zip(parts, others, strict=True))


def _head(document: Document, data: dict[str, Any]) -> tuple[SystemHead | None, list[Finding]]:
    try:
        return SystemHead.model_validate(data), []
    except ValidationError as error:
        return None, _pydantic_findings(error, document, (), SystemHead)


def _component(document: Document, name: str, data: object) -> tuple[Component | None, list[Finding]]:
    place = ("components", name)
    types = component_types()
    if not name.replace("_", "").replace("-", "").isalnum():
        remedy = "use letters, digits, - and _ (a dot separates component and field)"
        return None, [document.finding(place, f"{name!r} is no name of a component", remedy)]
    if not isinstance(data, dict) or "type" not in data:
        remedy = f"write `{name}: {{type: ...}}`; types are {', '.join(types)}"
        return None, [document.finding(place, "names no type", remedy)]
    kind = types.get(data["type"]) if isinstance(data["type"], str) else None
    if kind is None:
        remedy = f"{did_you_mean(str(data['type']), types)}types are {', '.join(types)}"
        return None, [document.finding((*place, "type"), "is no type of component", remedy, value=data["type"])]
    try:
        return kind.model_validate(data), []
    except ValidationError as error:
        return None, _pydantic_findings(error, document, place, kind)


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


def _buses_of(kind: Kind) -> list[str]:
    return [kind.bus, *(output.bus for output in kind.outputs)] if isinstance(kind, Converter) else [kind.bus]


def _misplaced(name: str, kind: Kind, component: Component, site: BuildSite) -> list[Finding]:
    """Find buses that do not exist or carry something else than the component handles."""
    findings = []
    for bus in _buses_of(kind):
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

"""Validate and explain a system, solve nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from ecosystemiser.cli.commands.run import asked
from ecosystemiser.cli.oddities import odd_line
from ecosystemiser.cli.options import FormatOption, SetOption, SystemArgument, working
from ecosystemiser.cli.tables import Column, Format, as_csv, as_json, as_table, terminal_width
from ecosystemiser.cli.text import NOTHING, amount, money, wrapped
from ecosystemiser.errors import InputError

if TYPE_CHECKING:
    from ecosystemiser.services.checking import ComponentSummary, Explanation, HourlySum, Size

__all__ = ["check"]


def check(system: SystemArgument, *, values: SetOption = None, style: FormatOption = Format.TABLE) -> None:
    """Validate SYSTEM and say what it consists of; solve nothing.

    Tells all problems at once, each with file, line and remedy, and then
    exits with 2.

    \b
    Examples:
      ecosystemiser check my-system.yaml
      ecosystemiser check riverside-community --set battery.capacity_kwh=0
      ecosystemiser check my-system.yaml --format json
    """
    try:
        with working(f"Checking {system}"):
            from ecosystemiser.services.checking import explain

            told = explain(asked({"system": system}, values))
    except InputError as error:
        if style is Format.JSON:
            typer.echo(as_json({"is_valid": False, "findings": [asdict(found) for found in error.findings]}))
        raise
    if style is Format.JSON:
        typer.echo(as_json({"is_valid": True, **asdict(told)}))
    elif style is Format.CSV:
        typer.echo(_csv(told))
    else:
        typer.echo("\n\n".join(part for part in _parts(told, terminal_width()) if part))


def _csv(told: Explanation) -> str:
    names = ["name", "type", "count", "sizes", "buses", "cost_per_year", "is_absent"]
    rows = [{**asdict(one), "sizes": _sizes(one), "buses": " ".join(one.buses)} for one in told.components]
    return as_csv(rows, names)


def _parts(told: Explanation, width: int) -> list[str]:
    length = "a full year" if told.is_full_year else "a part of a year"
    step = f"{told.step_s // 60} min" if told.step_s % 3600 else f"{told.step_s // 3600} h"
    head = f"✓ {told.system_id} is valid; nothing was solved.\n"
    head += wrapped(told.description, width, "  ") + "\n" if told.description else ""
    head += f"  {told.steps:,} steps of {step} from {told.start} to {told.end}: {length}\n  of {told.timezone}."
    return [
        head,
        _oddities(told, width),
        f"Components\n{_components(told, width)}",
        f"Buses\n{_buses(told, width)}",
        _sums("Demand in this period", told.demands, width),
        _sums("Potential generation in this period, before curtailment", told.potentials, width),
        _profiles(told, width),
        wrapped(told.composed_year, width) if told.composed_year else "",
        f"Next: ecosystemiser run {told.system_id if _is_packaged(told) else told.file}",
    ]


def _oddities(told: Explanation, width: int) -> str:
    """Return what is seldom meant, a paragraph each."""
    if not told.oddities:
        return ""
    lines = [wrapped(f"! {odd_line(found)}", width, "  ") for found in told.oddities]
    return "\n".join(["Worth a second look", *lines])


def _is_packaged(told: Explanation) -> bool:
    from ecosystemiser.services.simulation_service import packaged_systems

    return told.system_id in packaged_systems() and told.file.endswith(f"data/systems/{told.system_id}.yaml")


def _components(told: Explanation, width: int) -> str:
    rows = told.components
    total = sum(one.cost_per_year for one in rows)
    costs = [money(one.cost_per_year, None) if one.cost_per_year else NOTHING for one in rows]
    columns = [
        Column("name", [*(one.name for one in rows), "all"], least=10),
        Column("type", [*(one.type for one in rows), ""], least=10),
        Column("size", [*(_sizes(one) for one in rows), ""], least=10),
        Column("bus", [*(" → ".join(one.buses) or NOTHING for one in rows), ""], least=11),
        Column(f"{told.currency} a year", [*costs, money(total, None)], is_number=True),
    ]
    return as_table(columns, width, indent="  ")


def _sizes(one: ComponentSummary) -> str:
    if one.is_absent:
        return "0: left out"
    units = f"{one.count} x " if one.count > 1 else ""
    return units + ", ".join(_size(size) for size in one.sizes) if one.sizes else f"{units}{NOTHING}"


def _size(size: Size) -> str:
    unit = size.unit.replace("m3", "m³").replace("m2", "m²")
    return f"{size.value:,.6g} {unit}{'/a' if size.field.startswith('annual_') else ''}"


def _buses(told: Explanation, width: int) -> str:
    columns = [
        Column("bus", [bus.name for bus in told.buses]),
        Column("gives", [", ".join(bus.gives) or NOTHING for bus in told.buses], least=12),
        Column("takes", [", ".join(bus.takes) or NOTHING for bus in told.buses], least=12),
        Column("stores", [", ".join(bus.stores) or NOTHING for bus in told.buses], least=8),
    ]
    return as_table(columns, width, indent="  ")


def _sums(title: str, sums: tuple[HourlySum, ...], width: int) -> str:
    if not sums:
        return ""
    columns = [
        Column("component", [one.component for one in sums], least=10),
        Column("bus", [one.bus for one in sums], least=10),
        Column("sum", [amount(one.total, one.unit) for one in sums], is_number=True),
        Column("peak", [amount(one.peak, one.peak_unit) for one in sums], is_number=True),
    ]
    return f"{title}\n{as_table(columns, width, indent='  ')}"


def _profiles(told: Explanation, width: int) -> str:
    if not told.profiles:
        return ""
    lines = []
    for one in told.profiles:
        nature = f"packaged, {one.nature}" if one.is_packaged else "your file"
        lines.append(wrapped(f"{one.name} ({nature}): {', '.join(one.used_by)}", width, "  "))
        lines += [wrapped(one.credit, width, "      ")] if one.credit else []
    return "\n".join(["Profiles", *lines])

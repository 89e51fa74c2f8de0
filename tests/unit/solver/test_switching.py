"""Devices that are switched on and off, opposites that no machine does at once: plans derived by hand."""

import numpy as np
import pytest
from tests.unit.solver.switched import near, solved_by, switched

from ecosystemiser.analyser.audit import audit
from ecosystemiser.errors import FailureCause, InputError, SolveError
from ecosystemiser.results import CostKind, SolvedSystem, bill_of

HEAT = """
  grid: {{type: grid, import_price_per_kwh: {price}, export_limit_kw: 0}}
  rooms: {{type: heat_demand, profile: {demand}}}
  boiler: {{type: electric_boiler, power_kw: 4, efficiency: 1.0, {switched}}}
  store: {{type: heat_storage, capacity_kwh: {store}, initial_level: 0, loss_per_hour: 0, end_price: 0}}
"""


def heated(demand, *, price=0.1, store=10, boiler="minimum_load: 0.5", **options):
    text = HEAT.format(demand=demand, price=price, store=store, switched=boiler)
    return solved_by("milp", text, len(demand), **options)


# --------------------------------------------------------------------------------------------- least load


def test_a_least_load_is_kept_or_the_device_is_off():
    """1 kWh an hour over 4 hours, at least 2 kW: two hours on, two off, 4 kWh at 0.1."""
    solved = heated([1.0, 1.0, 1.0, 1.0])
    assert solved.report.objective == near(0.4)
    drawn = solved.flow("boiler.in")
    assert np.all((drawn == 0) | (drawn >= 2 - 1e-9))


def test_a_least_load_that_nobody_takes_is_stored():
    """1 kWh in one hour only: 2 kWh must be made, 1 stays: 0.2."""
    solved = heated([1.0])
    assert solved.report.objective == near(0.2)
    assert solved.level("store") == near([0, 1])


def test_a_full_store_keeps_a_device_from_running_slowly():
    """A store of 0.5 cannot take what a least load of 2 leaves over from 1: no plan."""
    with pytest.raises(Exception, match="no plan meets every demand"):
        heated([1.0], store=0.5)


# ------------------------------------------------------------------------------------------------- starts


def test_a_start_is_weighed_against_what_it_saves():
    """1 kWh in hours 0 and 2, at 0.1 and 0.2. With a store both are made in hour 0: 0.2 and one start of 0.05.

    Without one it makes each when it is used, 0.1 + 0.2, and stays on for nothing in hour 1 rather than start twice.
    """
    kept = heated([1.0, 0.0, 1.0], price=[0.1, 0.4, 0.2], store=3, boiler="start_cost: 0.05")
    assert (kept.report.objective, kept.tally.starts.tolist()) == (near(0.25), [1])
    # with a least load of 2 kW, staying on in hour 1 costs 0.8: two starts are cheaper
    each = heated([2.0, 0.0, 2.0], price=[0.1, 0.4, 0.2], store=0.0001, boiler="minimum_load: 0.5, start_cost: 0.05")
    assert each.tally.starts.tolist() == [2]
    assert each.report.objective == pytest.approx(0.2 + 0.4 + 0.1, abs=1e-3)


def test_starts_stand_on_the_bill():
    solved = heated([1.0, 1.0], boiler="start_cost: 0.5")
    lines = {(line.component, line.kind): line.amount for line in bill_of(solved)}
    assert lines["boiler", CostKind.STARTS] == near(0.5)
    assert sum(lines.values()) == near(solved.report.objective)
    assert float(solved.totals.variable_cost) == near(0.5)


def test_a_device_that_stays_on_idles_for_nothing_without_a_least_load():
    """Needed in hours 0 and 2: on throughout, at 0 in hour 1, one start."""
    solved = heated([1.0, 0.0, 1.0], store=0.0001, boiler="start_cost: 0.5")
    assert solved.on.tolist() == [[1, 1, 1]]
    assert solved.report.objective == pytest.approx(0.2 + 0.5, abs=1e-4)


# -------------------------------------------------------------------------------------------------- times


def test_a_device_stays_on_as_long_as_it_must():
    """Needed in hour 1 alone, 3 hours at least, 2 kW at least: 6 kWh at the cheapest three hours around it.

    Prices 1, 1, 1, 5: hours 1 to 3 would cost 2 + 2 + 10; hours 0 to 2 cost 6. A plan that begins in hour 3 has no
    hour 4 to stay on in: what lies beyond the end binds nothing.
    """
    solved = heated([0.0, 1.0, 0.0, 0.0], price=[1, 1, 1, 5], boiler="minimum_load: 0.5, min_up_h: 3")
    assert solved.on.tolist() == [[1, 1, 1, 0]]
    assert solved.report.objective == near(6)


def test_a_device_stays_off_as_long_as_it_must():
    """1 kWh an hour without a store; off in hour 1 would last to hour 2: it runs through all, 3 kWh at 0.1, 2, 0.1.

    Hour 1 has no demand and its least load is 0.
    """
    free = heated([1.0, 0.0, 1.0], price=[0.1, 2, 0.1], store=0.0001, boiler="min_down_h: 1")
    assert free.report.objective == pytest.approx(0.2, abs=1e-3)
    solved = heated([2.0, 0.0, 2.0, 0.0], price=[0.1, 2, 0.1, 2], store=2, boiler="minimum_load: 0.5, min_down_h: 2")
    assert solved.on.tolist() == [[1, 1, 1, 0]] or solved.report.objective == near(0.4)
    assert solved.report.objective == near(0.4)  # hour 0 makes 4: the store keeps 2 over hour 1


def test_times_count_in_steps_of_the_run():
    """Half an hour on at least is one step of an hour, 90 minutes are two."""
    for hours, steps in ((0.5, 1), (1.0, 1), (1.5, 2), (2.0, 2)):
        (kind,) = [
            one
            for one in switched(HEAT.format(demand=[1.0], price=1, store=1, switched=f"min_up_h: {hours}"), 1).kinds
            if one.name == "boiler"
        ]
        assert (kind.commitment.min_up, kind.commitment.min_down) == (steps, 1)


# ----------------------------------------------------------------------------------------- several units


def test_units_are_switched_one_by_one():
    """Two boilers of 4 kW, at least 2 kW each: 3 kWh need one, 7 kWh both, two starts in all."""
    solved = heated([3.0, 7.0], store=0.0001, boiler="count: 2, minimum_load: 0.5, start_cost: 0.5")
    assert solved.on.tolist() == [[1, 2]]
    assert solved.report.objective == pytest.approx(1.0 + 1.0, abs=1e-3)
    assert solved.hourly()["boiler.units_on"].tolist() == [1, 2]


# --------------------------------------------------------------------------------------------- part load


def test_a_falling_efficiency_spreads_the_load():
    """Load 0.5 at 1.2 times, full load at 1: 4.8 kWh made at 2 kW in each of two hours (2.4 each) take 4, not 4.8."""
    boiler = "part_load: {load: [0.25, 0.5, 1], efficiency: [1.0, 1.2, 1.0]}"
    solved = heated([2.4, 2.4], boiler=boiler)
    assert solved.report.objective == near(0.4)
    assert solved.flow("boiler.in") == near([2, 2])
    assert solved.flow("boiler.out") == near([2.4, 2.4])


def test_a_rising_efficiency_gathers_the_load():
    """Half load gives half of what full load does for its input (1 of 2 kWh): 4 kWh are made in one hour at 4 kW."""
    boiler = "part_load: {load: [0.5, 1], efficiency: [0.5, 1.0]}"
    solved = heated([2.0, 2.0], boiler=boiler)
    assert solved.report.objective == near(0.4)
    assert solved.flow("boiler.in") == near([4, 0])


def test_between_the_points_the_output_is_straight():
    """From (2, 1) to (4, 4) kW: 2.5 kWh are half way, at 3 kW; nothing can be stored."""
    solved = heated([2.5], store=0.0001, boiler="part_load: {load: [0.5, 1], efficiency: [0.5, 1.0]}")
    assert solved.flow("boiler.in") == pytest.approx([3], abs=1e-3)


def test_a_curve_with_three_rising_pieces_is_filled_from_below():
    """(1, 0.25), (2, 1), (4, 4) of 4 kW: 2 kWh lie between the last two, at 2 + 2 / 3 kW; the steep piece alone would
    give them for less."""
    boiler = "part_load: {load: [0.25, 0.5, 1], efficiency: [0.25, 0.5, 1.0]}"
    solved = heated([2.0], store=0.0001, boiler=boiler)
    assert solved.flow("boiler.in") == pytest.approx([2 + 2 / 3], abs=1e-3)


def test_waste_that_pays_leaves_no_piece_unfilled():
    """At a price of -1 a boiler would waste: fill the poor piece of its curve and leave the good one below empty.

    1 kWh is needed and nothing kept. (1, 1.2) of the good piece gives 1 at 0.8333; by the poor one alone, (4 - 2) kW
    for 4 - 2.4, it would draw 1.25. What the curve allows earns 0.8333.
    """
    boiler = "part_load: {load: [0, 0.5, 1], efficiency: [1.2, 1.2, 1.0]}"
    solved = heated([1.0], price=-1.0, store=0.0001, boiler=boiler)
    assert solved.flow("boiler.in") == pytest.approx([1 / 1.2], abs=1e-3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("part_load: {load: [0.5, 0.9], efficiency: [1, 1]}", "does not end at load 1"),
        ("part_load: {load: [0.5, 1], efficiency: [1, 0.9]}", "does not end at load 1"),
        ("part_load: {load: [0.5, 0.5, 1], efficiency: [1, 1, 1]}", "load does not rise"),
        ("part_load: {load: [0.5, 1], efficiency: [3, 1]}", "gives less at a higher load"),
        ("part_load: {load: [0.5], efficiency: [1]}", "needs as many efficiency as load"),
        ("minimum_load: 0.3, part_load: {load: [0.5, 1], efficiency: [1, 1]}", "is not the first load of part_load"),
        (
            "count: 2, part_load: {load: [0.2, 0.5, 1], efficiency: [0.5, 0.5, 1]}",
            "write them as components of their own",
        ),
        ("minimum_load: 1.5", "minimum_load"),
        ("start_cost: -1", "start_cost"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        switched(HEAT.format(demand=[1.0], price=1, store=1, switched=fields), 1)


def test_a_converter_that_is_switched_needs_a_size():
    text = """
  grid: {type: grid, import_price_per_kwh: 0.1}
  rod: {type: converter, input: electricity, output: heat, start_cost: 1}
  rooms: {type: heat_demand, profile: [1.0]}
"""
    with pytest.raises(InputError, match="is switched on and off but has no size; add power_kw or flow_m3_per_h"):
        switched(text, 1)


# ----------------------------------------------------------------------------------------------- windows


def test_windows_carry_what_is_on_and_for_how_long():
    """At least 3 hours on, seen 2 hours ahead, one kept. Needed in hour 0 alone: hours 1 and 2 are run, too.

    A window that forgot would switch it off after the first hour.
    """
    text = HEAT.format(demand=[1.0, 0.0, 0.0, 0.0], price=0.1, store=10, switched="minimum_load: 0.5, min_up_h: 3")
    solved = solved_by("rolling_horizon", text, 4, lookahead_h=2, commit_h=1)
    assert solved.on.tolist() == [[1, 1, 1, 0]]
    assert solved.report.objective == near(0.6)


def test_windows_pay_no_start_for_what_runs_already():
    text = HEAT.format(demand=[1.0] * 4, price=0.1, store=0.0001, switched="start_cost: 0.5")
    solved = solved_by("rolling_horizon", text, 4, lookahead_h=2, commit_h=1)
    assert solved.tally.starts.tolist() == [1]
    assert solved.report.objective == pytest.approx(0.4 + 0.5, abs=1e-3)


def test_windows_know_what_peak_the_month_has_seen():
    """A charge of 10 a kW (of 744 h: 4 / 744 of a month), and a battery that cannot help in hour 0.

    4 kW in hour 0 are the peak; after it 4 kW more cost nothing beyond their energy, so hour 2 is bought as it comes
    at 0.1 rather than shaved by charging at 0.2 in hour 1.
    """
    text = """
  grid: {type: grid, import_price_per_kwh: [0.1, 0.2, 0.1, 0.2], export_limit_kw: 0,
         tariff: {demand_charges: [{price_per_kw: 1860}]}}
  battery: {type: battery, capacity_kwh: 4, power_kw: 4, initial_level: 0, efficiency: 1.0, end_price: 0}
  load: {type: electricity_demand, profile: [4.0, 0.0, 4.0, 0.0]}
"""
    solved = solved_by("rolling_horizon", text, 4, lookahead_h=2, commit_h=1)
    assert solved.flow("grid.import") == near([4, 0, 4, 0])
    assert solved.report.objective == near(0.8 + 4 * 10)
    assert not any("demand charge" in note for note in solved.report.notes)


# ----------------------------------------------------------------------------------------------- opposites

BURN = """
  grid: {type: grid, import_price_per_kwh: -1.0, import_limit_kw: 5, export_limit_kw: 0}
  battery: {type: battery, capacity_kwh: 0.5, power_kw: 2, charge_efficiency: 0.5, discharge_efficiency: 0.5,
            initial_level: 0, end_price: 0}
  load: {type: electricity_demand, profile: [1.0]}
"""


def test_a_battery_does_not_burn_energy_by_charging_and_discharging_at_once():
    """Each kWh bought earns 1. Charging 1 fills the content of 0.5: 2 in all.

    Charging 2 and discharging 0.25 at once would leave the same content and buy 2.75.
    """
    solved = solved_by("milp", BURN, 1)
    assert solved.report.objective == near(-2)
    assert audit(solved).simultaneous_hours == {}
    assert solved.report.notes == ("battery may not charge and discharge at once: a rule added in 1 steps",)


def test_what_is_forbidden_in_one_step_is_not_done_in_the_next():
    """Two hours at -1 and -2: the second is used better, 1 + 2 x 2. Relaxed plans burn in both, one after the other."""
    solved = solved_by("milp", BURN.replace("[1.0]", "[1.0, 1.0]").replace("-1.0, import", "[-1.0, -2.0], import"), 2)
    assert solved.report.objective == near(-5)
    assert audit(solved).simultaneous_hours == {}
    assert solved.report.notes == ("battery may not charge and discharge at once: a rule added in 2 steps",)


def test_an_exchange_does_not_sell_what_it_buys():
    """Selling at 0.4 what is bought at 0.3, in the same hour: a meter counts what is left. 1 kWh is bought: 0.3."""
    text = """
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 9, export_price_per_kwh: 0.4, export_limit_kw: 5}
  load: {type: electricity_demand, profile: [1.0]}
"""
    solved = solved_by("milp", text, 1)
    assert solved.report.objective == near(0.3)
    assert solved.report.notes == ("grid may not buy and sell at once: a rule added in 1 steps",)


def test_a_variation_after_a_strict_one_starts_from_the_relaxed_program():
    """What was forbidden for one variation is not for the next."""
    from ecosystemiser.model.compiling import compile_problem
    from ecosystemiser.solver.door import prepare

    text = """
  grid: {{type: grid, import_price_per_kwh: 0.3, import_limit_kw: 9, export_price_per_kwh: {price}, export_limit_kw: 5}}
  load: {{type: electricity_demand, profile: [1.0]}}
"""
    systems = [switched(text.format(price=price), 1) for price in (0.4, 0.2)]
    problems = [compile_problem(system) for system in systems]
    prepared = prepare("milp", problems[0])
    strict, free = (prepared.solve(problem) for problem in problems)
    assert strict.report.notes
    assert (free.report.notes, free.report.start) == ((), "warm")
    assert audit(SolvedSystem(systems[1], problems[1], free)).violations == ()


# ------------------------------------------------------------------------------------------------ time limits


def hard_system(steps=168):
    """Devices whose least loads do not fit the demand: HiGHS finds plans at once and proves none of them for long."""
    rng = np.random.default_rng(3)
    text = f"""
  grid: {{type: grid, import_price_per_kwh: {rng.uniform(0.1, 0.5, steps).round(3).tolist()}, import_limit_kw: 40}}
  rooms: {{type: heat_demand, profile: {rng.uniform(2, 9, steps).round(3).tolist()}}}
  buffer: {{type: heat_storage, capacity_kwh: 20, initial_level: 0.5, loss_per_hour: 0.01}}
"""
    for at in range(4):
        text += (
            f"  pump{at}: {{type: heat_pump, power_kw: {1.5 + at / 7:.3f}, cop: {2.5 + at / 9:.3f}, "
            f"minimum_load: 0.5, start_cost: 0.{at + 2}, min_up_h: 3}}\n"
        )
    return switched(text, steps)


def test_a_search_that_time_ends_gives_what_it_has_found_and_its_bound():
    solved = solved_by("milp", hard_system(), 168, time_limit_s=2.0, gap=0.0)
    report = solved.report
    assert report.status == "stopped by its time limit"
    assert report.bound < report.objective
    assert 0 < report.gap < 1


def test_a_search_that_time_ends_before_any_plan_has_failed():
    with pytest.raises(SolveError, match="the time limit ended the search before an answer") as raised:
        solved_by("milp", hard_system(), 168, time_limit_s=1e-4)
    assert raised.value.cause is FailureCause.TIMEOUT


def test_a_wider_gap_ends_the_search_sooner():
    wide = solved_by("milp", hard_system(48), 48, gap=0.2).report
    assert wide.status == "optimal"
    assert wide.gap <= 0.2

"""What the benchmarks compare is comparable, and what they print fits the screen. Nothing here is timed."""

import json
import sqlite3
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
WEEK = 168


@pytest.fixture(autouse=True)
def _benchmarks_can_be_imported(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture
def bench():
    """Return a function from the name of a module of `benchmarks` to the module."""
    return lambda name: import_module(f"benchmarks.{name}")


def test_the_hand_loop_equals_the_generic_kernel(bench):
    from ecosystemiser.config.solver_options import SolverOptions
    from ecosystemiser.model.compiling import compile_problem
    from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack

    problem = compile_problem(bench("systems").reference(9 * WEEK))
    batch = stack(bench("systems").variations(problem, 70))  # more than the kernel's lanes, two months
    ours, by_hand = RuleBasedSolver(batch, SolverOptions()).solve_batch(batch), bench("rule_batch").by_hand(batch)
    name, difference = bench("rule_batch").largest_difference(ours, by_hand)
    assert difference < 1e-9, name
    for sums in ("unmet_kwh", "grid_export_kwh", "battery_throughput_kwh", "renewable_delivered_kwh"):
        assert getattr(by_hand, sums).max() > 0, "a variation should show it, or the comparison says nothing"


def test_a_difference_of_one_sum_in_one_variation_is_found(bench):
    from ecosystemiser.model.compiling import compile_problem
    from ecosystemiser.solver.rule_based.solver import stack

    problem = compile_problem(bench("systems").reference(WEEK))
    batch = stack(bench("systems").variations(problem, 3))
    one, other = bench("rule_batch").by_hand(batch), bench("rule_batch").by_hand(batch)
    other.tally.local_use[2] *= 1 + 1e-6
    assert bench("rule_batch").largest_difference(one, other) == ("local_use_kwh", pytest.approx(1e-6, rel=1e-3))


def test_the_hand_matrix_has_the_stated_size_and_our_optimum(bench):
    optimum, systems, hand_matrix = bench("optimum"), bench("systems"), bench("hand_matrix")
    system = systems.reference(WEEK)
    program = hand_matrix.build(systems.given(system))
    assert program.matrix.shape == (4 * WEEK, 10 * WEEK)
    assert program.matrix.nnz == 17 * WEEK
    ours = optimum.running_cost(optimum.audited(system, optimum.cyclic(system)))
    assert hand_matrix.solve(program) == pytest.approx(ours, rel=1e-6)


def test_the_large_system_has_25_components_and_meets_its_demands(bench):
    from ecosystemiser.config.solver_options import SolverOptions
    from ecosystemiser.model.compiling import compile_problem
    from ecosystemiser.solver.rule_based.solver import RuleBasedSolver

    problem = compile_problem(bench("systems").large(WEEK))
    assert len(problem.layout.components) == 25
    solution = RuleBasedSolver(problem, SolverOptions()).solve(problem)
    for flow in problem.layout.sinks:
        assert solution.flows[flow] == pytest.approx(problem.limits(flow), rel=1e-9)


def test_two_things_are_timed_by_turns_after_a_warm_up(bench):
    called = []
    pair = bench("measure").by_turns(lambda: called.append("A"), lambda: called.append("B"), 2)
    assert called == ["A", "B"] * 3
    assert len(pair.ours) == len(pair.peer) == 2


def test_a_pair_takes_the_ratio_of_medians(bench):
    pair = bench("measure").Pair(ours=(2.0, 4.0, 30.0), peer=(1.0, 2.0, 3.0))
    assert pair.ratio == 2.0
    assert pair.spread == pytest.approx((6 - 2) / 2)  # ratios of the turns: 2, 2, 10


@pytest.mark.parametrize(
    ("limit", "ours", "peer", "most", "verdict"),
    [
        ("ratio", 1.5, 1.0, 1.5, "ok"),
        ("ratio", 1.6, 1.0, 1.5, "MISSED"),
        ("ratio", float("nan"), 1.0, 1.5, "MISSED"),
        ("ratio", 1.0, 1.0, None, "-"),
        ("ratio", None, None, 1.5, "skipped"),
        ("value", 0.002, None, 0.002, "ok"),
        ("value", 0.003, 9.0, 0.002, "MISSED"),
        ("difference", -100.0, -100.00001, 1e-6, "ok"),
        ("difference", 100.0, 100.001, 1e-6, "MISSED"),
    ],
)
def test_a_row_keeps_its_limit_or_misses_it(bench, limit, ours, peer, most, verdict):
    measure = bench("measure")
    assert measure.Row("it", ours, peer, "s", most, measure.Limit(limit)).verdict == verdict


def test_the_table_fits_80_columns_and_every_row_stands_in_it(bench):
    measure, report = bench("measure"), bench("report")
    rows = [
        measure.Row("milp_overhead", 12.3456789, 11.1, "s", 1.5, spread=12.345),
        measure.Row("a name that is a good deal longer than its column is wide", 1e-9, 1e9, "s", 1e-6),
        measure.Row("objective", -123456789.123, -123456789.0, "EUR", 1e-6, measure.Limit.DIFFERENCE),
        measure.Row("difference", 1.2e-15, None, "1", 1e-9, measure.Limit.VALUE),
        measure.Row("rule_single", 3e-3, None, "s", 2e-3, measure.Limit.VALUE, note="word " * 40),
        measure.Row("startup", note="x" * 200),
    ]
    lines = report.table(rows, measure.QUICK).splitlines()
    assert max(len(line) for line in lines) <= 80
    assert [line.split()[-1] for line in lines[2 : 2 + len(rows)]] == ["ok", "ok", "ok", "ok", "MISSED", "skipped"]


def test_figures_machine_and_date_go_to_the_file(bench, monkeypatch, tmp_path, capsys):
    main = bench("__main__")
    for name in main.THREADS:
        monkeypatch.setenv(name, "1")  # main sets them, and they go back after this test
    path = tmp_path / "results" / "bench.json"
    assert main.main(["matrix_size", "--quick", "--output", str(path)]) == 0
    assert "matrix_size entries" in capsys.readouterr().out
    written = json.loads(path.read_text())
    assert {row["verdict"] for row in written["rows"]} == {"ok", "-"}
    assert written["machine"]["cores"] > 0
    assert written["machine"]["packages"]["highspy"]
    assert written["date"].startswith("20")
    assert not written["is_full"]


def test_a_missed_limit_ends_with_1_after_all_is_printed(bench, monkeypatch, tmp_path, capsys):
    main, measure = bench("__main__"), bench("measure")
    for name in main.THREADS:
        monkeypatch.setenv(name, "1")
    rows = [measure.Row("slow", 2.0, 1.0, "s", 1.5), measure.Row("fast", 1.0, 1.0, "s", 1.5)]
    monkeypatch.setitem(sys.modules, "a_measurement", SimpleNamespace(rows=lambda _: rows))
    monkeypatch.setitem(main.MEASUREMENTS, "it", "a_measurement")
    assert main.main(["it", "--output", str(tmp_path / "bench.json")]) == 1
    printed = capsys.readouterr().out
    assert "MISSED" in printed
    assert "fast" in printed


def test_a_measurement_that_raises_does_not_hide_the_others(bench, monkeypatch, tmp_path, capsys):
    main, measure = bench("__main__"), bench("measure")
    for name in main.THREADS:
        monkeypatch.setenv(name, "1")

    def broken(effort):
        raise ValueError("no such thing")

    rows = [measure.Row("fine", 1.0, 1.0, "s", 1.5)]
    monkeypatch.setitem(sys.modules, "one", SimpleNamespace(rows=broken))
    monkeypatch.setitem(sys.modules, "other", SimpleNamespace(rows=lambda _: rows))
    monkeypatch.setattr(main, "MEASUREMENTS", {"broken": "one", "fine": "other"})
    assert main.main(["--output", str(tmp_path / "bench.json")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[2:4]] == ["FAILED", "ok"]
    assert "broken: ValueError: no such thing" in lines


def test_an_unknown_name_is_refused_with_the_known_ones(bench, capsys):
    with pytest.raises(SystemExit) as refused:
        bench("__main__").main(["milp_overhed"])
    assert refused.value.code == 2
    assert "milp_overhead" in capsys.readouterr().err


def test_every_measurement_has_its_module(bench):
    for module in bench("__main__").MEASUREMENTS.values():
        assert callable(import_module(module).rows)


def test_a_study_of_lps_has_the_objective_of_each_point_solved_alone(bench, monkeypatch):
    lp_study, optimum, studies = bench("lp_study"), bench("optimum"), bench("studies")

    def alone(values, steps, *, warms_up):
        system = studies.system_of(values, steps)
        return 1.0, optimum.audited(system, optimum.cyclic(system)).report.objective

    monkeypatch.setattr(lp_study, "find_spec", lambda _: True)
    monkeypatch.setattr(lp_study, "_pypsa", alone)
    per_run, later, objective = lp_study.rows(bench("measure").QUICK)
    assert objective.verdict == "ok"
    assert per_run.ours > later.ours > 0
    assert per_run.peer == 1.0
    (study,) = per_run.details["studies"]
    assert len(set(study["objectives"])) == 6


@pytest.mark.slow
def test_a_study_of_lps_is_measured_without_its_peer_too(bench, monkeypatch):
    monkeypatch.setattr(bench("lp_study"), "find_spec", lambda _: None)
    per_run, later = bench("lp_study").rows(bench("measure").QUICK)
    assert (per_run.verdict, later.verdict) == ("skipped", "-")
    assert per_run.details["studies"][0]["seconds"] > 0


@pytest.mark.slow
def test_a_study_by_rule_is_measured_with_one_worker_and_two_and_with_tariffs(bench):
    one, two, tariffs = bench("rule_study").rows(bench("measure").QUICK)
    assert one.peer == two.peer == tariffs.peer
    assert {"kernel_s", "inserts_s", "two_workers_s", "tariffs_s"} <= one.details.keys()


def test_the_peer_of_a_study_by_rule_leaves_the_rows_that_ours_leaves(bench, tmp_path):
    from ecosystemiser.model.compiling import compile_problem
    from ecosystemiser.solver.rule_based.solver import stack

    rule_study, studies = bench("rule_study"), bench("studies")
    ours, values = studies.Bench.in_folder(tmp_path), studies.points(10, "export")
    with ours.database:
        ours.run(values, "rule_based", "shortfall", WEEK, workers=1, timeseries="none")
        logged = ours.database.query_simulation_runs(order_by="run_id")
        points = [{name: listed[at] for name, listed in values.items()} for at in range(10)]
        batch = stack([compile_problem(studies.system_of(point, WEEK)) for point in points])
        with bench("run_logging").bare(tmp_path / "runs.sqlite", tmp_path / "bare.sqlite") as connection:
            rule_study.Peer(connection, logged, batch).run()
            names = [name for name in logged[0] if name not in ("run_id", "created_at", "updated_at")]
            query = f"SELECT {', '.join(names)} FROM simulation_runs ORDER BY run_id"
            found = connection.execute(query).fetchall()
    assert found == [tuple(row[name] for name in names) for row in logged]
    assert {row["simulation_status"] for row in logged} == {"completed"}


def test_the_bare_log_leaves_the_rows_that_ours_leaves(bench, tmp_path):
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

    bare_log, run_logging = bench("bare_log"), bench("run_logging")
    pairs = [run_logging.run(f"run-{at}") for at in range(3)]
    with DatabaseMetadataService(tmp_path / "ours.sqlite") as service:
        for start, end in pairs:
            service.log_simulation_run(start)
            service.log_simulation_run(end)
    with bare_log.bare(tmp_path / "ours.sqlite", tmp_path / "bare.sqlite") as connection:
        log = bare_log.BareLog(connection)
        log.begin([start for start, _ in pairs], [run_logging.PARAMETERS] * 3)
        log.end([end for _, end in pairs])
        ours = sqlite3.connect(tmp_path / "ours.sqlite")
        owned = dict.fromkeys(("owner_id", "created_at", "updated_at", "timestamp"), "NULL")  # set by each
        for table in ("runs", "run_details", "run_parameters", "parameter_names", "run_counts"):
            names = [row[1] for row in ours.execute(f"PRAGMA table_info({table})")]
            where = "WHERE runs <> 0" if table == "run_counts" else ""
            query = f"SELECT {', '.join(owned.get(name, name) for name in names)} FROM {table} {where} ORDER BY 1, 2"
            assert connection.execute(query).fetchall() == ours.execute(query).fetchall(), table
        ours.close()


def test_logging_is_measured_without_its_peers_too(bench):
    quick = bench("measure").QUICK
    alone, *beside = bench("run_logging").rows(quick)
    assert alone.ours > 0
    assert alone.peer > 0
    assert {row.verdict for row in beside} == {"skipped"}
    log, whole, flat = bench("study_logging").rows(quick)
    assert log.peer > 0
    assert whole.ours > 0
    assert flat.peer > 0


def test_pages_of_many_runs_are_measured(bench, monkeypatch, tmp_path):
    many_pages = bench("many_pages")
    monkeypatch.setattr(many_pages, "database_of", lambda _: made)
    monkeypatch.setattr(bench("many_runs"), "RESULTS", tmp_path)
    made = bench("many_runs").database_of(1_000)
    rows = {row.what: row for row in many_pages.rows(bench("measure").QUICK)}
    assert all(row.ours > 0 for row in rows.values())
    for what in ("indexed order", "other order", "few runs pass"):
        assert rows[f"pages, {what}"].details.keys() >= {"p95", "median", "bare", "cold", "slowest"}
    assert bench("many_runs").database_of(1_000) == made, "it is made once"


def test_a_database_of_many_runs_is_one_of_ours(bench, monkeypatch, tmp_path):
    from ecosystemiser.store.counts import count_anew
    from ecosystemiser.store.engine import open_database

    monkeypatch.setattr(bench("many_runs"), "RESULTS", tmp_path)
    with open_database(bench("many_runs").database_of(400)) as database, database.transaction() as connection:
        assert count_anew(connection)
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.slow
def test_no_solver_beats_the_optimum_and_those_that_look_ahead_beat_the_rule(bench):
    rows = {row.what: row for row in bench("solvers").rows(bench("measure").QUICK)}
    cost = {name: rows[f"solvers {name}"].ours for name in ("rule_based", "rolling_horizon", "hybrid", "milp")}
    assert min(cost.values()) == pytest.approx(cost["milp"], rel=1e-9)
    assert cost["rule_based"] > cost["hybrid"] * 1.01
    assert rows["solvers hybrid"].limit == 0.005
    assert rows["solvers hybrid"].peer == pytest.approx(cost["milp"], rel=1e-6)

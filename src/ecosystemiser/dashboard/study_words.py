"""What a study is, how far it is and what it found, in a line each."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from ecosystemiser.charts.numbers import amount, duration, money, number_of, significant
from ecosystemiser.dashboard.log import the_log
from ecosystemiser.dashboard.words import KPI_BY_NAME, head_of, parameters_of
from ecosystemiser.wording import short_ids

__all__ = ["answer_line", "done_of", "final_front", "progress_line", "settings_of", "share_done", "value_words"]

Study = Mapping[str, Any]


def settings_of(study: Study) -> dict[str, Any]:
    """Return what the study was asked to do; nothing where its row does not say."""
    return _json(study.get("settings_json"))


def done_of(study: Study) -> int:
    """Return how many of its runs have come to an end."""
    return int(sum(count for status, count in study["by_status"].items() if status != "running"))


def share_done(study: Study) -> float:
    """Return how much of a study is done, 0 to 1; 0 where its size is not known."""
    points = study.get("points") or 0
    return min(1.0, done_of(study) / points) if points else 0.0


def progress_line(study: Study) -> str:
    """Return how far a running study is, how fast, and what it has found so far."""
    done, points = done_of(study), study.get("points")
    parts = [f"{done:,} of {points:,}" if points else number_of(done, "run")]
    seconds = _since(study.get("timestamp"))
    if done and seconds:
        parts.append(f"{significant(60 * done / seconds)} a minute")
        if points and points > done:
            parts.append(f"about {duration(seconds / done * (points - done))} left")
    if study.get("best_total_cost") is not None:
        parts.append(f"best so far {significant(study['best_total_cost'], 4)}")
    if study["by_status"].get("failed"):
        parts.append(f"{study['by_status']['failed']:,} failed")
    return " · ".join(parts)


def answer_line(study: Study) -> str:
    """Return what a study found, in a sentence."""
    if study.get("study_type") == "genetic_algorithm":
        return _front_line(study) or _best_line(study)
    if study.get("study_type") == "monte_carlo":
        return _spread_line(study) or _best_line(study)
    return _best_line(study)


def final_front(study_id: str) -> list[dict[str, Any]]:
    """Return the rows of the newest front of a study."""
    rows = the_log().query_analysis("pareto_fronts", study_id)
    last = max((row["generation"] for row in rows), default=None)
    return [row for row in rows if row["generation"] == last]


def value_words(value: object) -> str:
    """Return the value that a field took."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return f"{value:,.4g}" if isinstance(value, int | float) else str(value)


def _best_line(study: Study) -> str:
    if study.get("best_run_id") is None:
        return "No run has completed yet." if study.get("status") == "running" else "No run completed."
    row = the_log().get_simulation_run(study["best_run_id"])
    if row is None:
        return "Its best run was deleted."
    values = ", ".join(f"{path} = {value_words(value)}" for path, value in list(parameters_of(row).items())[:3])
    cost = money(row["total_cost"], row["currency"])
    return f"Cheapest: {cost}{f' with {values}' if values else ''} (run {short_ids([row['run_id']])[0]})"


def _front_line(study: Study) -> str:
    found = [_json(row["objectives_json"]) for row in final_front(study["study_id"])]
    if not found or not found[0]:
        return ""
    best = the_log().get_simulation_run(study["best_run_id"]) if study.get("best_run_id") else None
    currency = None if best is None else best["currency"]
    ranges = [_range(name, [each[name] for each in found if name in each], currency) for name in found[0]]
    return f"{number_of(len(found), 'design')} on the front: {', '.join(ranges)}"


def _spread_line(study: Study) -> str:
    rows = the_log().query_analysis("uncertainty_analysis", study["study_id"])
    row = next((each for each in rows if each["kpi"] == "total_cost" and each["design"] == 0), None)
    if row is None or row["p10"] is None or row["p90"] is None:
        return ""
    half, low, high = (significant(row[name], 4) for name in ("p50", "p10", "p90"))
    designs = len({each["design"] for each in rows})
    more = f"; {designs} designs compared" if designs > 1 else ""
    return f"Cost {half} (P50), between {low} (P10) and {high} (P90), over {row['samples']:,} samples{more}"


def _range(name: str, values: Collection[float], currency: str | None) -> str:
    unit = KPI_BY_NAME[name].unit if name in KPI_BY_NAME else ""
    low, high = amount(min(values), unit, currency), amount(max(values), unit, currency)
    return f"{head_of(name)} {low} to {high}"


def _since(utc_text: object) -> float:
    try:
        begin = datetime.fromisoformat(str(utc_text))
    except ValueError:
        return 0.0
    begin = begin if begin.tzinfo else begin.replace(tzinfo=UTC)
    return max(0.0, (datetime.now(UTC) - begin).total_seconds())


def _json(text: object) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

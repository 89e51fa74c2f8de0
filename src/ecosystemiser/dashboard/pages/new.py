"""Choose a system, see it checked as it is edited, start a run or a study of it in a process of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from ecosystemiser.charts.numbers import money
from ecosystemiser.config.simulation_config import DEFAULT_SYSTEM
from ecosystemiser.dashboard.addresses import Place, go, parameter, remember
from ecosystemiser.dashboard.choices import choice, part
from ecosystemiser.dashboard.guard import guarded, tell
from ecosystemiser.dashboard.log import acting, may_act
from ecosystemiser.dashboard.plain import plain
from ecosystemiser.dashboard.started import show_started
from ecosystemiser.dashboard.study_examples import EXAMPLES
from ecosystemiser.dashboard.tables import Column, show_table
from ecosystemiser.dashboard.words import kind_words
from ecosystemiser.errors import InputError
from ecosystemiser.services.checking import Explanation
from ecosystemiser.services.launching import (
    check_study_text,
    check_system_text,
    packaged_systems,
    packaged_text,
    start_run,
    start_study,
)
from ecosystemiser.wording import number_of, significant

__all__ = ["show"]

SOLVERS = {
    "milp": "milp: the cheapest plan of all hours at once",
    "hybrid": "hybrid: the cheapest plan window by window, led by the rule",
    "rolling_horizon": "rolling_horizon: the cheapest plan window by window",
    "rule_based": "rule_based: a plain rule, hour by hour; the fastest",
}
OWN = "a file of my own"
ONE, MANY = "One run", "A study"
WEEK = 168


def show() -> None:
    """Show the page."""
    st.title("New run")
    started = parameter("started")
    if started:
        show_started(started)
        return
    if not may_act():
        st.info("This explorer only looks (--read-only). Start work on the command line:", icon=":material/lock:")
        commands = "ecosystemiser run riverside-community --steps 168\necosystemiser study run my-study.yaml"
        st.code(commands, language=None)
        return
    left, right = st.columns(2, gap="large")
    with left:
        text = _system_text()
    with right:
        st.subheader("2  Check")
        found = _checked(text)
        st.subheader("3  Start")
        what = part("What to start", "what", [ONE, MANY])
        with guarded():
            _one_run(text, found) if what == ONE else _study(text, found)


def _system_text() -> str:
    st.subheader("1  System")
    name = choice("Begin with", "system", [*_systems(), OWN])
    if name == OWN:
        uploaded = st.file_uploader("A system file (YAML)", type=["yaml", "yml"])
        begin = uploaded.getvalue().decode(errors="replace") if uploaded is not None else ""
        key = f"text-{uploaded.file_id if uploaded is not None else OWN}"
    else:
        begin, key = packaged_text(name), f"text-{name}"
    return str(st.text_area("Edit it; leave the field, or Ctrl+Enter, to have it checked.", begin, height=620, key=key))


def _systems() -> list[str]:
    """Return the packaged systems, the usual one first."""
    return sorted(packaged_systems(), key=lambda name: (name != DEFAULT_SYSTEM, name))


def _checked(text: str) -> Explanation | None:
    """Show what the system says, or all that is wrong with it; return it where it is right."""
    if not text.strip():
        st.caption("There is nothing to check yet.")
        return None
    try:
        found = _explained(text)
    except InputError as error:
        tell(error)
        return None
    st.success(plain(f"{found.system_id} is valid."), icon=":material/check_circle:")
    st.caption(plain(f"{number_of(found.steps, 'step')} from {found.start} to {found.end}, {found.timezone}"))
    for odd in found.oddities:
        where = f"line {odd.line}, " if odd.line is not None else ""
        st.warning(plain(f"{where}{odd.key} {odd.message}. To do: {odd.remedy}."), icon=":material/help:")
    parts = found.components
    columns = [
        Column("component", [each.name for each in parts]),
        Column("type", [each.type for each in parts]),
        Column("size", [", ".join(f"{significant(size.value)} {size.unit}" for size in each.sizes) for each in parts]),
        Column("cost a year", [money(each.cost_per_year, found.currency) for each in parts]),
    ]
    show_table(columns, name="Components of the system", height="content")
    return found


@st.cache_data(max_entries=20, show_spinner="Checking")
def _explained(text: str) -> Explanation:
    with tempfile.TemporaryDirectory(prefix="ecosystemiser-") as folder:
        return check_system_text(text, Path(folder), {})


def _one_run(text: str, found: Explanation | None) -> None:
    solver = choice("Solver", "solver", list(SOLVERS), shown=lambda name: SOLVERS[name])
    most = found.steps if found is not None else WEEK
    key = "steps"
    if key not in st.session_state:
        asked = parameter(key)
        st.session_state[key] = int(asked) if asked.isdigit() and 1 <= int(asked[:9]) <= most else min(WEEK, most)
    steps = st.number_input(
        f"Steps, of {most:,}", 1, max(most, 1), key=key, on_change=lambda: remember(steps=str(st.session_state[key]))
    )
    if st.button("Start the run", type="primary", icon=":material/play_arrow:", disabled=found is None):
        with acting() as log:
            run_id = start_run(log, text, {"solver_type": solver, "timesteps": int(steps)})
        go(Place.NEW, started=f"run:{run_id}")


def _study(text: str, found: Explanation | None) -> None:
    kind = choice("Kind", "kind", list(EXAMPLES), shown=kind_words)
    st.caption("The study file; system.yaml is the system on the left.")
    study_text = st.text_area("Study file", EXAMPLES[kind], height=320, key=f"study-{kind}")
    is_right = False
    if found is not None:
        try:
            points = _study_points(study_text, text)
        except InputError as error:
            tell(error)
        else:
            is_right = True
            st.success(f"A valid study of {number_of(points, 'point')}.", icon=":material/check_circle:")
    if st.button("Start the study", type="primary", icon=":material/play_arrow:", disabled=not is_right):
        with acting() as log:
            study_id = start_study(log, study_text, text)
        go(Place.NEW, started=f"study:{study_id}")


@st.cache_data(max_entries=20, show_spinner="Checking")
def _study_points(study_text: str, text: str) -> int:
    with tempfile.TemporaryDirectory(prefix="ecosystemiser-") as folder:
        check_system_text(text, Path(folder), {})
        return check_study_text(study_text, Path(folder)).points

"""Small systems by text, for all tests; which tests stay together when two processes share them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.components import Component, component_types
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.site import BuildSite
from ecosystemiser.model.system import SystemHead
from ecosystemiser.reader import parse_yaml, read_yaml

pytest_plugins = ["tests.servers"]

# What is started in the background of a shell ignores Ctrl-C, and so would all that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples every time; `make faults` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)  # nothing is a test of time
settings.load_profile("steady")


class ByFile(LoadScopeScheduling):
    """The tests of a file go to one process, for what they share; those in a browser all to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/browser" if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture
def system_file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a system file, and other files beside it, and returns its path."""

    def write(text: str, files: dict[str, str] | None = None) -> Path:
        for name, content in (files or {}).items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        path = tmp_path / "system.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def system_from(system_file: Callable[..., Path]) -> Callable[..., Any]:
    """Return a function from the text of a system file to its System."""

    def load(text: str, files: dict[str, str] | None = None, steps: int | None = None) -> Any:
        return load_system(read_yaml(system_file(text, files)), steps=steps)

    return load


@pytest.fixture
def findings_in(system_from: Callable[..., Any]) -> Callable[..., tuple[Finding, ...]]:
    """Return a function from the text of a wrong system file to all that is said against it."""

    def refuse(text: str, files: dict[str, str] | None = None) -> tuple[Finding, ...]:
        with pytest.raises(InputError) as raised:
            system_from(text, files)
        return raised.value.findings

    return refuse


@pytest.fixture
def component_from() -> Callable[[str], Component]:
    """Return a function from one component as it stands in a file, `{type: pv, ...}`, to the Component."""

    def make(text: str) -> Component:
        data = parse_yaml(f"it: {text}", "component.yaml").data["it"]
        return component_types()[data["type"]].model_validate(data)

    return make


@pytest.fixture
def site_of(tmp_path: Path) -> Callable[..., BuildSite]:
    """Return a function that gives a site of three hours, or of what `head` says instead.

    `temperatures_c` repeat over the year and become the site's weather, without sun.
    """

    def make(head: str = "time: {steps: 3}", temperatures_c: Sequence[float] | None = None) -> BuildSite:
        data = parse_yaml(f"system_id: test\n{head}\n", "head.yaml").data
        if temperatures_c is not None:
            rows = [f"0,0,0,{temperatures_c[i % len(temperatures_c)]},1" for i in range(8760)]
            header = "ghi_w_m2,dni_w_m2,dhi_w_m2,temperature_c,wind_speed_m_s"
            (tmp_path / "weather.csv").write_text("\n".join([header, *rows]))
            data["site"] = {"latitude": 52.0, "longitude": 13.0, "weather": "weather.csv"}
        read = SystemHead.model_validate(data)
        return BuildSite(read.time.clock(), read.site, read.buses, tmp_path)

    return make


@pytest.fixture
def kind_of(component_from: Callable[[str], Component], site_of: Callable[..., BuildSite]) -> Callable[..., Any]:
    """Return a function from one component, as `{type: pv, ...}`, to the one kind it is made of."""

    def build(text: str, site: BuildSite | None = None) -> Any:
        (kind,) = component_from(text).kinds("it", site or site_of())
        return kind

    return build

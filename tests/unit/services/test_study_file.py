"""Study files of all kinds: what they become, and that all that is wrong is told at once, line by line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config import SimulationConfig, StudyConfig
from ecosystemiser.errors import InputError
from ecosystemiser.services.study_file import read_study

SYSTEM = """\
system_id: two-houses
time: {start: 2018-06-01, steps: 24}
site: {latitude: 52.4, longitude: 13.1, weather: try2010-potsdam}
economics: {currency: EUR}
components:
  grid:
    type: grid
    import_price_per_kwh: {default: 0.3, periods: [{price: 0.2, hours: "22-06"}]}
    import_limit_kw: 20
  pv: {type: pv, capacity_kw: 5, profile: pv-potsdam-south-30}
  roof: {type: pv, capacity_kw: 1, tilt_deg: 30, azimuth_deg: 180}
  battery: {type: battery, capacity_kwh: 4, power_kw: 2, count: 1}
  house: {type: electricity_demand, profile: bdew-h25, annual_kwh: 4000}
"""

GENETIC = """\
study_id: search
study_type: genetic_algorithm
system: two.yaml
solver_type: rule_based
objectives: {total_cost: minimise, self_sufficiency_rate: maximise}
constraints: [self_sufficiency_rate >= 0.4]
population_size: 20
max_generations: 30
seed: 7
parameters:
  battery.capacity_kwh: {from: 0, to: 20}
  battery.count: {from: 1, to: 3, integer: true}
  pv.profile: [pv-potsdam-south-30, bdew-h25]
"""

MONTE_CARLO = """\
study_id: risk
study_type: monte_carlo
system: two.yaml
n_samples: 64
sampling: lhs
seed: 7
distributions:
  house.annual_kwh: {distribution: normal, mean: 4000, standard_deviation: 400, minimum: 0}
  grid.import_price_per_kwh.default: {distribution: uniform, minimum: 0.2, maximum: 0.5}
  site.weather: {distribution: discrete, values: [try2010-potsdam, try2010-potsdam]}
correlations:
  house.annual_kwh: {grid.import_price_per_kwh.default: 0.4}
precision: {total_cost: 0.02}
probabilities: [total_cost <= 20]
parameters:
  battery.capacity_kwh: [0, 8]
"""

SAMPLED = """\
study_id: spread
system: two.yaml
combine: latin_hypercube
n_samples: 40
seed: 7
parameters:
  battery.capacity_kwh: {from: 0, to: 20}
  economics.discount_rate: {from: 0.01, to: 0.1}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("two.yaml").write_text(SYSTEM)


def read(text: str, *changes: tuple[str, str]) -> StudyConfig:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    Path("study.yaml").write_text(text)
    return read_study("study.yaml")


def problems(text: str, *changes: tuple[str, str]) -> list[str]:
    with pytest.raises(InputError) as raised:
        read(text, *changes)
    return [str(found) for found in raised.value.findings]


def test_keys_of_a_genetic_study_are_those_of_its_settings() -> None:
    study = read(GENETIC)
    settings = study.genetic_algorithm
    assert settings is not None
    assert settings.objectives == {"total_cost": "minimise", "self_sufficiency_rate": "maximise"}
    assert (settings.population_size, settings.max_generations, settings.seed, study.points) == (20, 30, 7, 600)
    assert study.base_config == SimulationConfig(system=Path("two.yaml"), solver_type="rule_based")
    assert study.seed is None
    assert study.parameters["battery.count"] == study.parameters["battery.count"]
    assert study.example_values() == {
        "battery.capacity_kwh": 0.0,
        "battery.count": 1,
        "pv.profile": "pv-potsdam-south-30",
    }


def test_keys_of_a_monte_carlo_study_are_those_of_its_settings() -> None:
    study = read(MONTE_CARLO)
    settings = study.monte_carlo
    assert settings is not None
    assert (settings.n_samples, settings.sampling, settings.seed, study.n_samples) == (64, "lhs", 7, None)
    assert list(settings.distributions) == ["house.annual_kwh", "grid.import_price_per_kwh.default", "site.weather"]
    assert study.points == 128
    assert study.compared_values() == {"battery.capacity_kwh": [0, 8]}


def test_settings_may_stand_together_below_the_name_of_the_kind() -> None:
    short = read(GENETIC)
    lines = GENETIC.splitlines()
    own = ["genetic_algorithm:", *(f"  {line}" for line in lines[4:9])]
    assert read("\n".join([*lines[:4], *own, *lines[9:]])) == short
    (told,) = problems(GENETIC, ("seed: 7", "seed: 7\ngenetic_algorithm: {seed: 8}"))
    assert told.startswith("study.yaml:9: seed: stands in genetic_algorithm too; leave one of the two out")


def test_a_sampled_study_keeps_its_seed_and_number_of_points() -> None:
    study = read(SAMPLED)
    assert (study.n_samples, study.seed, study.points, study.combine) == (40, 7, 40, "latin_hypercube")


def test_the_examples_of_the_reference_can_be_read() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "studies.md").read_text("utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert [read(text).study_type for text in examples] == [
        "parametric",
        "parametric",
        "genetic_algorithm",
        "monte_carlo",
    ]


GENETIC_MISTAKES: list[tuple[str, str, int | None, str]] = [
    ("population_size: 20", "popultion_size: 20", 7, "popultion_size: is not a known key; did you mean 'population_si"),
    ("population_size: 20", "population_size: 2", 7, "population_size: 2 is less than 4; give 4 or more"),
    ("population_size: 20", "population_size: many", 7, "population_size: 'many' is text where a whole number belongs"),
    ("population_size: 20", "n_samples: 20", 7, "n_samples: belongs to study_type: monte_carlo; set that, or leave it"),
    ("population_size: 20", "combine: sobol", 7, "combine: belongs to parametric studies; leave it out"),
    ("total_cost:", "total_cots:", 5, "objectives.total_cots: 'total_cots' is no KPI; did you mean 'total_cost'?"),
    ("cost: minimise", "cost: minimize", 5, "objectives.total_cost: 'minimize' is not allowed here; did you mean 'min"),
    (
        "self_sufficiency_rate >=",
        "self_sufficency_rate >=",
        6,
        "constraints[0]: 'self_sufficency_rate >= 0.4' limits 'self_sufficency_rate', which is no KPI; did you mean",
    ),
    ("rate >= 0.4", "rate = 0.4", 6, "is no limit on a KPI; write a KPI, >= or <=, and a number"),
    ("max_generations: 30", "max_generations: 1000000000", 8, "max_generations: 1000000000 is more than 100000"),
    ("max_generations: 30", "max_generations: 99999", 8, "may make 1,999,980 points, more than 1,000,000; lower it"),
    ("seed: 7", "seed: 7\nalgorithm: ga", 10, "algorithm: 'ga' takes one objective, and there are 2; use nsga2 or nsg"),
    ("seed: 7", "initial_designs: [{battery.count: 9}]", 9, "initial_designs[0]: must hold a value of each parameter"),
    (
        "seed: 7",
        "initial_designs: [{battery.count: 9, battery.capacity_kwh: 3, pv.profile: bdew-h25}]",
        9,
        "initial_designs[0].battery.count: is 9, none of this parameter's values",
    ),
    ("from: 0, to: 20", "from: 20, to: 0", 11, "parameters.battery.capacity_kwh: is an empty range; `to` lies above"),
    ("from: 0, to: 20", "from: -1, to: 20", 11, "parameters.battery.capacity_kwh.from: -1.0 is negative"),
    ("from: 1, to: 3", "from: 0, to: 3", 12, "parameters.battery.count.from: 0 is"),
    ("from: 0, to: 20", "from: 0, too: 20", 11, "too: is not a known key; did you mean 'to'?"),
    ("battery.capacity_kwh", "batery.capacity_kwh", 11, "batery.capacity_kwh: is no field of this system; did you mea"),
    ("battery.capacity_kwh", "battery.capacty_kwh", 11, "is not a known key; did you mean 'capacity_kwh'?"),
    (", bdew-h25]", ", bdew-h52]", 13, "parameters.pv.profile[1]: 'bdew-h52'"),
    ("objectives: {total_cost: minimise, self_sufficiency_rate: maximise}\n", "", None, "objectives: is missing"),
    ("genetic_algorithm", "genetic_algoritm", 2, "study_type: 'genetic_algoritm' is not allowed here; did you mean"),
    ("genetic_algorithm", "parametric", 5, "objectives: belongs to study_type: genetic_algorithm; set that, or leave"),
]

MONTE_CARLO_MISTAKES: list[tuple[str, str, int | None, str]] = [
    ("n_samples: 64", "n_sample: 64", 4, "n_sample: is not a known key; did you mean 'n_samples'?"),
    ("n_samples: 64", "n_samples: 1000000000", 4, "n_samples: 1000000000 is more than 1000000"),
    ("n_samples: 64", "n_samples: 600000", 4, "n_samples: make 1,200,000 points, more than 1,000,000; lower n_samples"),
    ("n_samples: 64", "population_size: 64", 4, "population_size: belongs to study_type: genetic_algorithm"),
    ("sampling: lhs", "sampling: lsh", 5, "sampling: 'lsh' is not allowed here; did you mean 'lhs'?"),
    ("sampling: lhs", "sensitivity: true", 5, "sensitivity: True asks for Sobol indices, which correlated fields do n"),
    ("distribution: normal", "distribution: norml", 8, "house.annual_kwh.distribution: 'norml' is not allowed here; d"),
    ("distribution: normal, ", "", 8, "distributions.house.annual_kwh.distribution: is missing"),
    ("standard_deviation: 400", "standard_deviaton: 400", 8, "is not a known key; did you mean 'standard_deviation'?"),
    ("standard_deviation: 400", "standard_deviation: 0", 8, "standard_deviation: 0 is not more than 0"),
    ("house.annual_kwh: {d", "house.anual_kwh: {d", 8, "distributions.house.anual_kwh: is not a known key; did you me"),
    ("house.annual_kwh: {d", "hose.annual_kwh: {d", 8, "distributions.hose.annual_kwh: is no field of this system"),
    (", minimum: 0}", ", maximum: 0}", 8, "distributions.house.annual_kwh: is cut off nearly whole; move `minimum`"),
    (
        "deviation: 400, minimum: 0",
        "deviation: 3000",
        8,
        "is negative (its 0.1 % quantile; cut it off by minimum and maximum)",
    ),
    ("minimum: 0.2, maximum: 0.5", "minimum: 0.5, maximum: 0.2", 9, "default: is empty; `maximum` lies above"),
    ("minimum: 0.2, maximum", "minimum: 0.2, maxmum", 9, "maxmum: is not a known key; did you mean 'maximum'?"),
    ("[try2010-potsdam, ", "[try2010-potsdm, ", 10, "distributions.site.weather.values[0]: 'try2010-potsdm'"),
    ("default: 0.4}", "defalt: 0.4}", 11, "correlations: name grid.import_price_per_kwh.defalt, which has no distribu"),
    ("total_cost: 0.02", "total_cots: 0.02", 13, "precision.total_cots: 'total_cots' is no KPI; did you mean 'total_c"),
    ("total_cost <= 20", "total_cost < 20", 14, "probabilities[0]: 'total_cost < 20' is no limit on a KPI"),
    ("battery.capacity_kwh: [0, 8]", "battery.capacity_kwh: {from: 0, to: 8}", 16, "is a range without count; add it"),
    ("battery.capacity_kwh: [0, 8]", "house.annual_kwh: [1, 8]", 8, "distributions.house.annual_kwh: stands in parame"),
    ("distributions:", "distribution:", 7, "distribution: is not a known key; did you mean 'distributions'?"),
    ("monte_carlo", "monte_carlos", 2, "study_type: 'monte_carlos' is not allowed here; did you mean 'monte_carlo'?"),
]

SAMPLED_MISTAKES: list[tuple[str, str, int | None, str]] = [
    ("n_samples: 40\n", "", None, "n_samples: is missing; give the number of points"),
    ("n_samples: 40", "n_samples: 0", 4, "n_samples: 0 is less than 1"),
    ("combine: latin_hypercube", "combine: latin_hypercub", 3, "combine: 'latin_hypercub' is not allowed here; did yo"),
    ("combine: latin_hypercube\nn_samples: 40\nseed: 7\n", "", 4, "is a range without count; add it, or combine: lati"),
    ("combine: latin_hypercube\n", "", 3, "n_samples: belongs to combine: latin_hypercube and sobol"),
    ("from: 0.01, to: 0.1", "from: 0.01, to: -7", 8, "is an empty range"),
    ("economics.discount_rate", "economics.discount_rat", 8, "discount_rat: is not a known key; did you mean 'discoun"),
]


@pytest.mark.parametrize(
    ("text", "old", "new", "line", "words"),
    [
        *((GENETIC, *mistake) for mistake in GENETIC_MISTAKES),
        *((MONTE_CARLO, *mistake) for mistake in MONTE_CARLO_MISTAKES),
        *((SAMPLED, *mistake) for mistake in SAMPLED_MISTAKES),
    ],
)
def test_each_mistake_is_told_with_its_line_and_a_remedy(
    text: str, old: str, new: str, line: int | None, words: str
) -> None:
    told = problems(text, (old, new))
    assert words in told[0]
    assert told[0].startswith(f"study.yaml:{line}: " if line else "study.yaml: ")
    assert "Input should" not in "".join(told)
    assert "; " in told[0]


def test_everything_wrong_is_told_at_once_in_the_order_of_the_lines() -> None:
    told = problems(
        MONTE_CARLO,
        ("n_samples: 64", "n_samples: 1"),
        ("sampling: lhs", "samplin: lhs"),
        ("house.annual_kwh: {d", "hose.annual_kwh: {d"),
        ("minimum: 0.2", "minimum: many"),
        ("total_cost: 0.02", "total_cost: 2"),
        ("[0, 8]", "[0, -8]"),
    )
    assert [one.split(" ")[0] for one in told] == [f"study.yaml:{line}:" for line in (4, 5, 8, 9, 13, 16)]


def test_a_section_that_is_no_mapping_is_told() -> None:
    (told,) = problems(MONTE_CARLO, ("precision: {total_cost: 0.02}", "precision: 5"))
    assert told.startswith("study.yaml:13: precision: 5 is a number where a mapping belongs")
    whole = "study_id: s\nstudy_type: monte_carlo\nsystem: two.yaml\nmonte_carlo: 5\n"
    (told,) = problems(whole)
    assert told.startswith("study.yaml:4: monte_carlo: 5 is a number where a mapping belongs")


@pytest.mark.parametrize("section", [5, "text", [1], None])
@pytest.mark.parametrize("key", ["base_config", "parameters", "distributions", "genetic_algorithm", "objectives"])
def test_no_file_makes_it_stumble(key: str, section: Any) -> None:
    """Whatever stands where a section belongs: findings, no traceback."""
    for kind in ("genetic_algorithm", "monte_carlo", "5", "[a]"):
        text = f"study_id: s\nstudy_type: {kind}\nsystem: two.yaml\n{key}: {'null' if section is None else section}\n"
        assert problems(text)

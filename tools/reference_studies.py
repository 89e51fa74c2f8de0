"""The page of study files: every key of every kind of study, with examples that a test reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

from pydantic import BaseModel

from ecosystemiser.config.distributions import DISTRIBUTIONS
from ecosystemiser.config.genetic_settings import GeneticSettings
from ecosystemiser.config.monte_carlo_settings import MonteCarloSettings
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.config.value_range import ValueRange
from ecosystemiser.jobs import events
from ecosystemiser.services.budget import LARGE_BYTES, LARGE_S

__all__ = ["SECTIONS", "TEXTS", "Section", "event_rows"]

Section = tuple[str, str, type[BaseModel], Sequence[str]]
"""Title, text, the declaration of its keys, and those that are not shown."""

_INTRO = """\
One file describes one study. In a file, `system`, `solver_type`, `timesteps` and `solver` are short for those of
`base_config`, and the keys of a genetic or Monte Carlo study stand beside the others. Fields are named by their path,
as `battery.capacity_kwh`, `grid.import_price_per_kwh.default`, `site.weather`.

```yaml
study_id: battery-sizing
system: riverside-community
solver_type: rule_based
parameters:
  battery.capacity_kwh: [0, 40, 80, 160]
  roof_pv.capacity_kw: {from: 20, to: 100, count: 5}
```
"""

_RANGES = """\
A parameter is a list of values or a range. With `combine: latin_hypercube` or `sobol`, and in genetic studies, a range
may go without `count`.

```yaml
study_id: spread
system: riverside-community
combine: latin_hypercube
n_samples: 200
parameters:
  battery.capacity_kwh: {from: 0, to: 200}
  heat_pump.count: {from: 1, to: 3, integer: true}
```
"""

_GENETIC = """\
The parameters are the space that is searched: ranges are continuous or whole numbers; ranges with `count` and lists of
rising numbers are steps; other lists are choices.

```yaml
study_id: cheap-and-clean
study_type: genetic_algorithm
system: riverside-community
objectives: {total_cost: minimise, total_co2: minimise}
constraints: [self_sufficiency_rate >= 0.3]
population_size: 40
max_generations: 60
seed: 1
parameters:
  battery.capacity_kwh: {from: 0, to: 200}
  roof_pv.capacity_kw: {from: 0, to: 120}
  heat_pump.power_kw: [10, 15, 20]
```
"""

_MONTE_CARLO = """\
`distributions` say what is uncertain. `parameters`, where there are any, are designs to compare: each meets the same
samples. Intervals are those of independent samples; of sobol and lhs they are wider than need be.

```yaml
study_id: how-sure
study_type: monte_carlo
system: riverside-community
n_samples: 256
sampling: sobol
seed: 1
sensitivity: true
distributions:
  houses.annual_kwh: {distribution: normal, mean: 45000, standard_deviation: 4000, minimum: 0}
  grid.import_price_per_kwh.default: {distribution: triangular, minimum: 0.2, mode: 0.28, maximum: 0.5}
  economics.discount_rate: {distribution: uniform, minimum: 0.02, maximum: 0.08}
probabilities: [total_cost <= 60000]
parameters:
  battery.capacity_kwh: [0, 80]
```
"""


def _distributions() -> Iterable[Section]:
    for name, model in DISTRIBUTIONS.items():
        yield f"distribution: {name}", " ".join((model.__doc__ or "").split()) + "\n", model, ("distribution",)


SECTIONS: Sequence[Section] = (
    ("All studies", _INTRO, StudyConfig, ("genetic_algorithm", "monte_carlo")),
    ("Ranges", _RANGES, ValueRange, ()),
    ("study_type: genetic_algorithm", _GENETIC, GeneticSettings, ()),
    ("study_type: monte_carlo", _MONTE_CARLO, MonteCarloSettings, ()),
    *_distributions(),
)

TEXTS = f"""\
## Around a run

`around`, or `--around RUN`, takes any run in the log as the base: its system as the log describes it, with the fields
that it set, whatever has become of the system file. So a point of a Pareto front becomes the design under uncertainty:

```
ecosystemiser study run risk.yaml --around 01a20690-73d6
```

The file may leave `system` out, and one that it names is not used. `solver_type`, `timesteps`, `solver` and fields of
`base_config` that the file sets stand over those of the run. The study's settings hold the run's whole id; `study show`
tells it. Files that the system names must be as they were.

## Where runs are solved

The process that was started writes all rows; workers only compute and write hourly files, so SQLite is enough for all
executors. `dask` needs `pip install ecosystemiser[dask]` and starts a cluster on this machine unless `scheduler` names
one that is there (`dask scheduler`, `dask worker ADDRESS --nthreads 1`). Before the first run every worker of that one
is asked whether it has the same version, reads the same system and, where all hours are kept, sees `output_directory`;
else nothing is begun. A study may go on elsewhere: `study resume ID --executor process`.

## What a study will take

The first two runs (of rule-based runs that go side by side without hours, the first two chunks) are timed. They are
runs of the study like all others. Then it tells how many runs are left at most, and about what they will take, unless
that is less than 5 s.
If that is more than {LARGE_S / 60:.0f} minutes or {LARGE_BYTES / 1e9:.0f} GB, it asks before it goes on; `--yes`
answers beforehand, and where nobody can answer it ends with exit code 2 and the command that goes on. In Python:
`StudyService().run_study(config, agree=lambda budget: budget.seconds < 3600)`; without `agree` nothing is asked.

## Events

`study run FILE --events json` prints what happens to the study, its generations and its runs, when it happens: one JSON
object a line on standard output and nothing else there. The answer for people goes to the error stream. The last event
of a study that is stopped is `study_cancelled`. Every event has `event`, `at` (UTC), `study_id`, `run_id` and `job_id`
(null where it does not apply). In Python the same events come by `StudyService(...).bus.subscribe`.
"""


def event_rows() -> Iterator[tuple[str, ...]]:
    """Yield the table of events that are streamed."""
    yield "event", "meaning", "own keys"
    common = {each.name for each in fields(events.Event)}
    families = (events.StudyEvent, events.RunEvent)
    for kind in (getattr(events, name) for name in events.__all__):
        if not isinstance(kind, type) or not issubclass(kind, families) or kind in families:
            continue
        keys = [f"`{each.name}`" for each in fields(kind) if each.name not in common]
        yield f"`{events.event_name(kind)}`", " ".join((kind.__doc__ or "").split()), ", ".join(keys)

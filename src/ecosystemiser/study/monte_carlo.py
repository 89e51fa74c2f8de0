"""Monte Carlo studies: the uncertain fields drawn again and again, the KPIs' distributions told."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ecosystemiser.config.monte_carlo_settings import MonteCarloSettings
from ecosystemiser.study.kpi_table import KpiTable
from ecosystemiser.study.points import Point, near_neighbour_order
from ecosystemiser.study.sample_plan import SamplePlan
from ecosystemiser.study.sampling import Floats
from ecosystemiser.study.sensitivity import KpiSensitivity, Sampled, TornadoBar, sensitivities, tornado_bars
from ecosystemiser.study.strategy import Kpis, Step
from ecosystemiser.study.uncertainty import (
    DesignDifference,
    KpiUncertainty,
    LimitProbability,
    difference,
    half_width,
    probability,
    uncertainty,
)

__all__ = ["MonteCarlo"]

MOST_AT_ONCE = 2_000
"""Points of a batch where nothing is looked at on the way: in such numbers near neighbours are found."""


class MonteCarlo:
    """Samples uncertain fields and tells what follows for the KPIs, for each of the designs that are compared.

    All designs meet the same samples (common random numbers), so that their differences show early. What it tells
    may be asked for at any time and counts the samples of the batches that were told whole.
    """

    def __init__(self, settings: MonteCarloSettings, designs: Sequence[Mapping[str, Any]] = ({},)) -> None:
        """`designs`: values of other fields, each of them met with all samples."""
        self.designs = designs
        self._settings, self._plan = settings, SamplePlan(settings, designs)
        self._table = KpiTable(self._plan.size)
        self._samples = 0
        self._steps: list[Step] = []
        self._reason: str | None = None

    @property
    def size(self) -> int | None:
        """Number of points in all; not known where it may end earlier."""
        return None if self._settings.precision else self._plan.size

    @property
    def steps(self) -> Sequence[Step]:
        """Running means of the KPIs in `precision`, or else of total_cost, after each batch."""
        return self._steps

    @property
    def stopped_because(self) -> str | None:
        """Why it ended before all samples were made; None where it did not."""
        return self._reason

    @property
    def samples(self) -> int:
        """Samples of each design that were told."""
        return self._samples

    def ask(self) -> Iterator[list[Point]]:
        """Yield the points of the next samples, the same ones of all designs; go on once they were told."""
        width = len(self.designs) * self._plan.per_sample
        at_once = self._settings.batch_size if self._settings.precision else max(1, MOST_AT_ONCE // width)
        while self._reason is None and self._samples < self._settings.n_samples:
            begin = time.perf_counter()
            end = min(self._samples + at_once, self._settings.n_samples)
            points = self._plan.points(self._samples, end)
            if self._samples == 0 and self._plan.alone:
                points = self._plan.tornado_points() + points
            yield near_neighbour_order(points)
            if self._reason is None:
                self._end_batch(points, end, begin)

    def tell(self, point: Point, kpis: Kpis | None) -> None:
        """Hear the KPIs of a point; None where it failed."""
        self._table.tell(point.number, kpis)

    def stop(self, reason: str) -> None:
        """Ask for no more; what was told stays."""
        self._reason = reason

    def uncertainty(self) -> list[KpiUncertainty]:
        """Return the distribution of each KPI for each design, as far as it has values."""
        settings = self._settings
        return [
            uncertainty(
                kpi,
                values,
                confidence=settings.confidence,
                risk_level=settings.risk_level,
                design=design,
                failed=int(self._independent(self._table.failed(self._numbers(design))).sum()),
            )
            for design in range(len(self.designs))
            for kpi in self._table.names
            if len(values := _defined(self._values(kpi, design)))
        ]

    def probabilities(self) -> list[LimitProbability]:
        """Return for each design and each limit asked for the probability that it is kept."""
        return [
            probability(limit, values, self._settings.confidence, design)
            for design in range(len(self.designs))
            for limit in self._settings.limits
            if limit.kpi in self._table.names and len(values := _defined(self._values(limit.kpi, design)))
        ]

    def differences(self) -> list[DesignDifference]:
        """Return for each design after the first how much its KPIs differ from those of the first, sample by sample."""
        found = []
        for design in range(1, len(self.designs)):
            for kpi in self._table.names:
                pairs = np.column_stack([self._values(kpi, 0), self._values(kpi, design)])
                pairs = pairs[~np.isnan(pairs).any(axis=1)]
                if len(pairs):
                    found.append(difference(kpi, pairs[:, 1], pairs[:, 0], self._settings.confidence, design))
        return found

    def sensitivity(self) -> list[KpiSensitivity]:
        """Return for each design, KPI and field how the one depends on the other."""
        names = self._table.names
        if not names or not self._samples:
            return []
        inputs = self._plan.values(self._samples)
        return [
            found
            for design in range(len(self.designs))
            for found in sensitivities(
                Sampled(self._plan.fields, inputs, names, partial(self._outputs, design), design),
                confidence=self._settings.confidence,
                seed=self._settings.seed,
            )
        ]

    def tornado(self) -> list[TornadoBar]:
        """Return for each design, KPI and field the KPI when the field moves alone; the widest bars of a KPI first."""
        if not self._plan.alone or not self._samples:
            return []
        return [
            bar
            for design in range(len(self.designs))
            for kpi in self._table.names
            for bar in tornado_bars(
                kpi,
                design,
                dict(zip(self._plan.fields, self._plan.tornado_values(), strict=True)),
                self._table.values(kpi, self._plan.tornado_numbers(design)),
            )
        ]

    def _end_batch(self, points: Sequence[Point], end: int, begin: float) -> None:
        untold = self._table.untold(point.number for point in points)
        if untold:
            raise ValueError(f"points {untold[:5]} were asked and not told; tell every point before going on")
        self._samples = end
        metrics: dict[str, float] = {"samples": end, "failed": int(self._table.failed(slice(None)).sum())}
        wanted = self._settings.precision
        are_met = bool(wanted)
        for design in range(len(self.designs)):
            for kpi in wanted or ("total_cost",):
                values = _defined(self._values(kpi, design)) if kpi in self._table.names else np.zeros(0)
                half = half_width(values, self._settings.confidence)
                are_met = are_met and half is not None and half <= wanted[kpi] * abs(values.mean())
                if half is not None:
                    label = f"{kpi}[{design}]" if len(self.designs) > 1 else kpi
                    metrics |= {f"{label}.mean": float(values.mean()), f"{label}.half_width": half}
        seconds = time.perf_counter() - begin
        self._steps.append(Step(len(self._steps), self._table.told, seconds, metrics))
        if are_met and end < self._settings.n_samples:
            self._reason = f"the means are known well enough after {end:,} samples (precision)"

    def _numbers(self, design: int) -> slice:
        return self._plan.sample_numbers(design, self._samples)

    def _values(self, kpi: str, design: int) -> Floats:
        """Return a KPI at the independent samples of a design; NaN where there is none."""
        return np.asarray(self._independent(self._table.values(kpi, self._numbers(design))))

    def _independent(self, values: Any) -> Any:
        """Return what belongs to samples that do not depend on each other: with sensitivity those of A and of B."""
        width = self._plan.per_sample
        return values.reshape(-1, width)[:, : 2 if width > 1 else 1].ravel()

    def _outputs(self, design: int, names: Sequence[str]) -> Floats:
        """Return KPIs at all points of the samples of a design. (samples, points of a sample, KPIs)"""
        matrix = self._table.matrix(names, self._numbers(design))
        return np.asarray(matrix.reshape(self._samples, self._plan.per_sample, len(names)))


def _defined(values: Floats) -> Floats:
    return np.asarray(values[~np.isnan(values)])

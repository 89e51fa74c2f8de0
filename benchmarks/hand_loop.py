"""The peer of the rule-based kernel: a loop written by hand for one system, compiled, yielding the same Totals.

PV, battery, heat pump, heat store, grid with a changing price, electric and heat demand. One year, one variation at a
time, every amount in a local variable: what a programmer writes who needs this system only. The same merit order as
the generic kernel, the same sums, the same tracing of local and renewable origin. Compiled with whatever freedom in
arithmetic makes it faster and leaves infinite limits alone, so that it is no easy peer.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Ints, Problem
from ecosystemiser.results import Tally, Totals
from ecosystemiser.results.tally import weighted_pairs

__all__ = ["Hours", "hours_of", "numbers_of", "totals_of", "year", "years"]

compiled = numba.njit(error_model="numpy", nogil=True, fastmath={"arcp", "contract", "nnan", "nsz", "reassoc"})
SUMS = 22
"""Sums of a year, in the order in which `year` leaves them."""


@compiled
def year(
    solar: Floats,
    load: Floats,
    heat: Floats,
    cop: Floats,
    price: Floats,
    months: Ints,
    n: Floats,
    sums: Floats,
    peaks: Floats,
) -> None:
    """Dispatch one year.

    `n` holds the numbers, `sums` takes the sums, `peaks` the monthly peaks of import and export.
    """
    pv_kw, load_scale, heat_scale, hp_limit = n[0], n[1], n[2], n[3]
    cap, power, eta_c, eta_d = n[4], n[5], n[6], n[7]
    heat_cap, heat_keep, battery_keep = n[8], n[9], n[10]
    import_limit, export_limit, grid_green = n[11], n[12], n[13]
    level, heat_level = n[14], n[15]
    s_pv = s_imp = s_exp = s_ch = s_dis = s_load = s_heat = s_hp = s_hpo = s_hch = s_hdis = 0.0
    w_imp = unmet_e = unmet_h = level_sum = heat_sum = local_use = green = res_e = res_h = 0.0
    share_l = share_g = heat_share_g = 0.0
    for t in range(len(solar)):
        pv = left = pv_kw * solar[t]
        d = d0 = load_scale * load[t]
        h = h0 = heat_scale * heat[t]
        c, hp = cop[t], 0.0
        there, heat_there = level * battery_keep, heat_level * heat_keep
        can_out = min(power, there * eta_d)
        can_in = min(power, (cap - there) / eta_c)
        # what PV gives, to the load, then through the heat pump to heat
        a = min(left, d)
        left -= a
        d -= a
        a = min(left, hp_limit, h / c)
        left -= a
        hp += a
        h -= a * c
        # what is stored, to the load, to heat, then through the heat pump
        dis = min(can_out, d)
        d -= dis
        hdis = min(heat_there, h)
        h -= hdis
        a = min(can_out - dis, hp_limit - hp, h / c)
        dis += a
        hp += a
        h -= a * c
        # what is bought
        imp = min(import_limit, hp_limit - hp, h / c)
        hp += imp
        h -= imp * c
        a = min(import_limit - imp, d)
        imp += a
        d -= a
        # what PV still has: into the battery, through the heat pump into the store, sold
        ch = min(left, can_in)
        left -= ch
        a = min(left, hp_limit - hp, (heat_cap - heat_there) / c)
        left -= a
        hp += a
        hch = a * c
        exp = min(left, export_limit)
        left -= exp
        pv -= left
        hpo = hp * c
        level = min(max(there + eta_c * ch - dis / eta_d, 0.0), cap)
        heat_level = min(max(heat_there + hch - hdis, 0.0), heat_cap)
        # sums
        s_pv += pv
        s_imp += imp
        s_exp += exp
        s_ch += ch
        s_dis += dis
        s_load += d0 - d
        s_heat += h0 - h
        s_hp += hp
        s_hpo += hpo
        s_hch += hch
        s_hdis += hdis
        w_imp += imp * price[t]
        if d > 1e-9 * d0:
            unmet_e += d
        if h > 1e-9 * h0:
            unmet_h += h
        level_sum += level
        heat_sum += heat_level
        month = months[t]
        peaks[0, month] = max(peaks[0, month], imp)
        peaks[1, month] = max(peaks[1, month], exp)
        res_e = max(res_e, abs(pv + imp + dis - exp - ch - hp - (d0 - d)))
        res_h = max(res_h, abs(hpo + hdis - hch - (h0 - h)))
        # origin
        used, pool = d0 - d + hp, imp + dis
        rest_l = dis * share_l / pool if pool > 0.0 else 0.0
        rest_g = (dis * share_g + imp * grid_green) / pool if pool > 0.0 else 0.0
        direct = min(pv, used)
        part = direct / used if used > 0.0 else 0.0
        use_g = part + (1.0 - part) * rest_g
        local_use += used * (part + (1.0 - part) * rest_l)
        part = min(pv - direct, ch) / ch if ch > 0.0 else 0.0
        ch_l, ch_g = part + (1.0 - part) * rest_l, part + (1.0 - part) * rest_g
        total = hpo + hdis
        heat_g = (hpo * use_g + hdis * heat_share_g) / total if total > 0.0 else 0.0
        green += (d0 - d) * use_g + (h0 - h) * heat_g
        stays = max(there - dis / eta_d, 0.0) + eta_c * ch
        arrived = eta_c * ch / stays if stays > 1e-12 * cap else 0.0
        share_l += arrived * (ch_l - share_l)
        share_g += arrived * (ch_g - share_g)
        stays = max(heat_there - hdis, 0.0) + hch
        arrived = hch / stays if stays > 1e-12 * heat_cap else 0.0
        heat_share_g += arrived * (heat_g - heat_share_g)
    for at, value in enumerate((
        s_pv, s_imp, s_exp, s_ch, s_dis, s_load, s_heat, s_hp, s_hpo, s_hch, s_hdis,
        w_imp, unmet_e, unmet_h, level_sum, heat_sum, level, heat_level, local_use, green, res_e, res_h,
    )):  # fmt: skip
        sums[at] = value


@compiled
def years(
    solar: Floats,
    load: Floats,
    heat: Floats,
    cop: Floats,
    price: Floats,
    months: Ints,
    numbers: Floats,
    sums: Floats,
    peaks: Floats,
) -> None:
    """Dispatch one year for each column of `numbers`; `sums` (batch, SUMS), `peaks` (batch, 2, months)."""
    for lane in range(numbers.shape[1]):
        year(solar, load, heat, cop, price, months, numbers[:, lane].copy(), sums[lane], peaks[lane])


class Hours(NamedTuple):
    """What all variations share: the first six arguments of `years`."""

    solar: Floats
    load: Floats
    heat: Floats
    cop: Floats
    price: Floats
    months: Ints


def hours_of(problem: Problem) -> Hours:
    """Return the series of the reference system."""
    paths = [flow.path for flow in problem.layout.flows]

    def signal(rows: Ints, at: int) -> Floats:
        return np.ascontiguousarray(problem.signals[rows[at]])

    return Hours(
        solar=signal(problem.limit_signal, paths.index("roof_pv.out")),
        load=signal(problem.limit_signal, paths.index("houses.in")),
        heat=signal(problem.limit_signal, paths.index("heat.in")),
        cop=signal(problem.ratio_signal, 0),
        price=signal(problem.cost_signal, problem.layout.costs.flow.index(paths.index("grid.import"))),
        months=problem.months,
    )


def numbers_of(problem: Problem) -> Floats:
    """Return the numbers of `year` for a batch of the reference system. (16, batch)"""
    c, paths = problem.coefficients, [flow.path for flow in problem.layout.flows]
    limit = {path: c.limit[at] for at, path in enumerate(paths)}
    b, h = (problem.layout.storage_names.index(name) for name in ("battery", "buffer"))
    return np.array([
        limit["roof_pv.out"], limit["houses.in"], limit["heat.in"], limit["heat_pump.in"],
        c.capacity[b], limit["battery.charge"], c.charge_efficiency[b], c.discharge_efficiency[b],
        c.capacity[h], c.keep[h], c.keep[b],
        limit["grid.import"], limit["grid.export"], c.renewable[paths.index("grid.import")],
        c.initial_level[b], c.initial_level[h],
    ])  # fmt: skip


def totals_of(problem: Problem, sums: Floats, peaks: Floats) -> Totals:
    """Return the Totals of a batch of the reference system from what `years` has summed."""
    (pv, imp, exp, ch, dis, load, heat, hp, hpo, hch, hdis, weighted, unmet_e, unmet_h,
     level_sum, heat_sum, level, heat_level, local_use, green, res_e, res_h) = sums.T  # fmt: skip
    by_path = {
        "roof_pv.out": pv, "grid.import": imp, "grid.export": exp, "battery.charge": ch, "battery.discharge": dis,
        "houses.in": load, "heat.in": heat, "heat_pump.in": hp, "heat_pump.out": hpo, "buffer.charge": hch,
        "buffer.discharge": hdis,
    }  # fmt: skip
    layout = problem.layout
    by_sink = {"houses.in": unmet_e, "heat.in": unmet_h}
    by_storage = {"battery": (level_sum, level), "buffer": (heat_sum, heat_level)}
    by_bus = {"electricity": res_e, "heat": res_h}
    assert len(weighted_pairs(problem)) == 1  # only what is bought has a price that changes
    return Totals(
        problem,
        Tally(
            flow=np.array([by_path[flow.path] for flow in layout.flows]),
            weighted=weighted[None],
            month_peak=np.ascontiguousarray(peaks.transpose(1, 2, 0)),
            unmet=np.array([by_sink[layout.flows[flow].path] for flow in layout.sinks]),
            level_sum=np.array([by_storage[name][0] for name in layout.storage_names]),
            level_first=problem.coefficients.initial_level,
            level_last=np.array([by_storage[name][1] for name in layout.storage_names]),
            local_use=local_use,
            renewable_delivered=green,
            local_water=np.zeros(len(sums)),  # there is no water in this system
            rain_delivered=np.zeros(len(sums)),
            spilled=np.zeros((len(layout.charges), len(sums))),
            residual=np.array([by_bus[bus.name] for bus in layout.buses]),
            metered=np.zeros((0, len(sums))),  # nor any tariff
            starts=np.zeros((0, len(sums))),  # nor anything that is switched
        ),
    )

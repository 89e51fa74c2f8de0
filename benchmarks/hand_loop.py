"""The peer of the rule-based kernel: a loop written by hand for one system, compiled, yielding the same Totals.

PV, battery, heat pump, heat store, grid with a changing price, electric and heat demand. One year, one variation at a
time, every amount in a local variable: what a programmer writes who needs this system only. The same merit order as
the generic kernel, the same sums, the same tracing of local and renewable origin.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(error_model="numpy", nogil=True)
def year(solar, load, heat, cop, price, months, n, sums, peaks):
    """Dispatch one year; `n` holds the numbers, `sums` takes the sums, `peaks` the monthly peaks of import and export."""
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
        a = min(min(left, hp_limit), h / c)
        left -= a
        hp += a
        h -= a * c
        # what is stored, to the load, to heat, then through the heat pump
        dis = min(can_out, d)
        d -= dis
        hdis = min(heat_there, h)
        h -= hdis
        a = min(min(can_out - dis, hp_limit - hp), h / c)
        dis += a
        hp += a
        h -= a * c
        # what is bought
        imp = min(import_limit, min(hp_limit - hp, h / c))
        hp += imp
        h -= imp * c
        a = min(import_limit - imp, d)
        imp += a
        d -= a
        # what PV still has: into the battery, through the heat pump into the store, sold
        ch = min(left, can_in)
        left -= ch
        a = min(min(left, hp_limit - hp), (heat_cap - heat_there) / c)
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
    )):
        sums[at] = value


@numba.njit(error_model="numpy", nogil=True)
def years(solar, load, heat, cop, price, months, numbers, sums, peaks):
    """Dispatch one year for each column of `numbers`."""
    for lane in range(numbers.shape[1]):
        year(solar, load, heat, cop, price, months, numbers[:, lane].copy(), sums[lane], peaks[lane])


def numbers_of(problem) -> np.ndarray:
    """Return the numbers of `year` for a batch of the reference system. (16, batch)"""
    c, flows = problem.coefficients, [flow.path for flow in problem.layout.flows]
    limit = {path: c.limit[at] for at, path in enumerate(flows)}
    storage = {name: at for at, name in enumerate(problem.layout.storage_names)}
    b, h = storage["battery"], storage["buffer"]
    return np.array([
        limit["roof_pv.out"], limit["houses.in"], limit["heat.in"], limit["heat_pump.in"],
        c.capacity[b], limit["battery.charge"], c.charge_efficiency[b], c.discharge_efficiency[b],
        c.capacity[h], c.keep[h], c.keep[b],
        limit["grid.import"], limit["grid.export"], c.renewable[flows.index("grid.import")],
        c.initial_level[b], c.initial_level[h],
    ])

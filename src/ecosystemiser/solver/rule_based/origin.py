"""Where energy comes from, followed step by step in compiled code; `results/tracing.py` states the rule.

Index 0 of a share is local origin, 1 renewable origin.
"""

from __future__ import annotations

from ecosystemiser.solver.rule_based.compiled import inlined

__all__ = ["carry_origin", "trace_origin"]

EMPTY = 1e-12
"""As in tracing: the share of a capacity below which a content has no origin of its own."""


@inlined
def trace_origin(plan, numbers, moved, share, use, charge, work, sums):  # type: ignore[no-untyped-def]
    """Follow origins through the nodes of the step: node after node."""
    nodes, lanes = plan.nodes, moved.shape[1]
    for place in range(len(nodes.order)):
        node = nodes.order[place]
        work[1:6] = 0.0
        _gather_made(plan, numbers, place, moved, use, work)
        _gather_pool(plan, numbers, place, moved, share, work)
        if node == 0:
            _mix_electricity(plan, place, moved, use, charge, work, sums)
        else:
            for lane in range(lanes):
                total = work[1, lane] + work[3, lane]
                mixed = (work[2, lane] + work[5, lane]) / total if total > 0.0 else 0.0
                use[1, node, lane] = mixed
                charge[1, node, lane] = mixed
        if nodes.is_water[place]:
            _mix_water(plan, place, moved, use, charge, work, sums)
        for at in range(nodes.delivered_first[place], nodes.delivered_first[place + 1]):
            flow = nodes.delivered_flow[at]
            for lane in range(lanes):
                sums.renewable_delivered[0, lane] += moved[flow, lane] * use[1, node, lane]


@inlined
def _gather_made(plan, numbers, place, moved, use, work):  # type: ignore[no-untyped-def]
    """Sum what sources and converters bring to a node: work 1 amount, 2 renewable part."""
    nodes, lanes, made, made_green = plan.nodes, moved.shape[1], work[1], work[2]
    for at in range(nodes.source_first[place], nodes.source_first[place + 1]):
        flow = nodes.source_flow[at]
        for lane in range(lanes):
            made[lane] += moved[flow, lane]
            made_green[lane] += moved[flow, lane] * numbers.renewable[flow, lane]
    for at in range(nodes.converted_first[place], nodes.converted_first[place + 1]):
        flow, origin, carries = nodes.converted_flow[at], nodes.converted_from[at], nodes.converted_carries[at]
        for lane in range(lanes):
            made[lane] += moved[flow, lane]
            made_green[lane] += moved[flow, lane] * use[1, origin, lane] * carries


@inlined
def _gather_pool(plan, numbers, place, moved, share, work):  # type: ignore[no-untyped-def]
    """Sum what imports and storages bring to a node: work 3 amount, 4 local part, 5 renewable part."""
    nodes, lanes, pool, pool_local, pool_green = plan.nodes, moved.shape[1], work[3], work[4], work[5]
    for at in range(nodes.import_first[place], nodes.import_first[place + 1]):
        flow = nodes.import_flow[at]
        for lane in range(lanes):
            pool[lane] += moved[flow, lane]
            pool_green[lane] += moved[flow, lane] * numbers.renewable[flow, lane]
    for at in range(nodes.stored_first[place], nodes.stored_first[place + 1]):
        storage = nodes.stored[at]
        flow = plan.discharges[storage]
        for lane in range(lanes):
            pool[lane] += moved[flow, lane]
            pool_local[lane] += moved[flow, lane] * share[0, storage, lane]
            pool_green[lane] += moved[flow, lane] * share[1, storage, lane]


@inlined
def _mix_electricity(plan, place, moved, use, charge, work, sums):  # type: ignore[no-untyped-def]
    """Generation serves use first, then charging; the pool of imports and discharges serves the rest."""
    nodes, lanes = plan.nodes, moved.shape[1]
    made, made_green, pool, pool_local, pool_green = work[1], work[2], work[3], work[4], work[5]
    used, charged = work[6], work[7]
    work[6:8] = 0.0
    for at in range(nodes.used_first[place], nodes.used_first[place + 1]):
        flow = nodes.used_flow[at]
        for lane in range(lanes):
            used[lane] += moved[flow, lane]
    for at in range(nodes.stored_first[place], nodes.stored_first[place + 1]):
        flow = plan.charges[nodes.stored[at]]
        for lane in range(lanes):
            charged[lane] += moved[flow, lane]
    for lane in range(lanes):
        green = made_green[lane] / made[lane] if made[lane] > 0.0 else 0.0
        local_rest = pool_local[lane] / pool[lane] if pool[lane] > 0.0 else 0.0
        green_rest = pool_green[lane] / pool[lane] if pool[lane] > 0.0 else 0.0
        direct = made[lane] if made[lane] < used[lane] else used[lane]
        left = made[lane] - direct
        part = direct / used[lane] if used[lane] > 0.0 else 0.0
        local = part + (1.0 - part) * local_rest
        use[1, 0, lane] = part * green + (1.0 - part) * green_rest
        sums.local_use[0, lane] += used[lane] * local
        into = left if left < charged[lane] else charged[lane]
        part = into / charged[lane] if charged[lane] > 0.0 else 0.0
        charge[0, 0, lane] = part + (1.0 - part) * local_rest
        charge[1, 0, lane] = part * green + (1.0 - part) * green_rest


@inlined
def _mix_water(plan, place, moved, use, charge, work, sums):  # type: ignore[no-untyped-def]
    """All water of a bus mixes: local is what is not bought; the renewable part, mixed before, is rain.

    What is made of energy is not bought.
    """
    nodes, lanes, local = plan.nodes, moved.shape[1], work[6]
    node = nodes.order[place]
    local[:] = 0.0
    for at in range(nodes.source_first[place], nodes.source_first[place + 1]):
        flow = nodes.source_flow[at]
        for lane in range(lanes):
            local[lane] += moved[flow, lane] * plan.is_local[flow]
    for at in range(nodes.converted_first[place], nodes.converted_first[place + 1]):
        flow, origin, carries = nodes.converted_flow[at], nodes.converted_from[at], nodes.converted_carries[at]
        for lane in range(lanes):
            local[lane] += moved[flow, lane] * (use[0, origin, lane] * carries + (1.0 - carries))
    for lane in range(lanes):
        total = work[1, lane] + work[3, lane]
        mixed = (local[lane] + work[4, lane]) / total if total > 0.0 else 0.0
        use[0, node, lane] = mixed
        charge[0, node, lane] = mixed
    for at in range(nodes.watered_first[place], nodes.watered_first[place + 1]):
        flow = nodes.watered_flow[at]
        for lane in range(lanes):
            sums.local_water[0, lane] += moved[flow, lane] * use[0, node, lane]
            sums.rain_delivered[0, lane] += moved[flow, lane] * use[1, node, lane]


@inlined
def carry_origin(plan, numbers, moved, there, share, charge):  # type: ignore[no-untyped-def]
    """Mix what was charged into what stays in each storage."""
    nodes, lanes = plan.nodes, moved.shape[1]
    for place in range(len(nodes.order)):
        node = nodes.order[place]
        for at in range(nodes.stored_first[place], nodes.stored_first[place + 1]):
            storage = nodes.stored[at]
            into, out = plan.charges[storage], plan.discharges[storage]
            for lane in range(lanes):
                added = moved[into, lane] * numbers.charge_efficiency[storage, lane]
                stays = there[storage, lane] - moved[out, lane] / numbers.discharge_efficiency[storage, lane]
                stays = stays if stays > 0.0 else 0.0
                total = stays + added
                arrived = added / total if total > EMPTY * numbers.capacity[storage, lane] else 0.0
                share[0, storage, lane] += arrived * (charge[0, node, lane] - share[0, storage, lane])
                share[1, storage, lane] += arrived * (charge[1, node, lane] - share[1, storage, lane])

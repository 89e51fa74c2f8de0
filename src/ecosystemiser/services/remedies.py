"""What a person can do about a run that failed, by its cause."""

__all__ = ["REMEDIES"]

REMEDIES = {
    "infeasible": "Raise the limits of what supplies the demand, or give a demand unmet_cost_per_kwh (per m3).",
    "unmet": "Raise what supplies this demand, give it an unmet_cost_per_kwh, or plan ahead: --solver hybrid or milp.",
    "unbounded": "Limit what is sold (export_limit_kw), or sell for less than what is bought costs.",
    "data": "Correct the file or the option that the message names; ecosystemiser check SYSTEM looks at all.",
    "timeout": "Allow more time (--time-limit), take fewer steps (--steps), or --solver hybrid or rule_based.",
    "memory": "Take fewer steps (--steps), or close other programs.",
    "crash": "This is a fault of the program: please report it. Try another solver meanwhile.",
    "balance": "This is a fault of the solver: please report it with the file. Try another solver meanwhile.",
    "solver": "Try another solver, and look for extreme numbers in the file (1e9 beside 1e-9).",
    "storage": "Make room or choose another folder (--output), then run it again.",
}
"""What to do, by the cause that stands in a run's row."""

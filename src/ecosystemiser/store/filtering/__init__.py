"""One filter text for Python, the command line and the explorer.

    total_cost < 20000 and solver_type = 'hybrid'
    params.battery.capacity_kwh >= 40 or not (status in ('failed', 'cancelled'))

    tree = parse(text, fields)            # parsing.py; fields.py says what may be asked for
    str(tree)                             # tree.py: canonical text, to be shared
    select(...).where(to_sql(tree, ...))  # sql.py: the only file here that knows the database

A value that is missing never passes a condition, nor its opposite: only `is null` finds it.
"""

"""Rows and hourly files: the only room that knows SQL.

    with open_database() as database:
        with database.transaction() as connection:      # engine.py: the one way to write
            log_run(connection, {"run_id": ..., ...})    # runs.py
        with database.reading() as connection:
            query_runs(connection, max_cost=20000)       # queries.py

Hourly series do not go into the database: `hourly.py` writes one Parquet file a run, and the run's row holds
its hash.
"""

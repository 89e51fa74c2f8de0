"""How older databases become newer ones; Alembic runs what stands in `versions`."""

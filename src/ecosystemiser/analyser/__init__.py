"""Numbers from a SolvedSystem: the audit, the KPIs. Knows no solver and no database."""

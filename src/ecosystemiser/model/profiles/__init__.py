"""Series of one year by name or from a file, as plain numpy arrays: weather, PV yield, demands, prices."""

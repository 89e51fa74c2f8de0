"""The use cases, thin: run a simulation, log it, ask the log."""

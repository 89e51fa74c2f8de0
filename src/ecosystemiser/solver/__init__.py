"""Problem to Solution. Two solvers behind one door: prepare a Problem once, solve many variations of it."""

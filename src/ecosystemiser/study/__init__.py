"""Which variation next? Strategies that ask for points and hear how they ended; they know no solver, no database."""

"""What a system is: components on five kinds, prices, profiles, checks, and Problem, the system as arrays."""

"""What a person asks for: closed, frozen models. Names a system, knows none."""

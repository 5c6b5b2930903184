"""Everything that tests the house from outside: benches, drills, simulators of others, demo data."""

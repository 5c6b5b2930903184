"""The door that nobody knocks at: processes that stamp, look after the clock, and watch over each other."""

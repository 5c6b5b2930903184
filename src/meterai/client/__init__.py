"""The typed HTTP client of the API; knows only words, so that it can be taken out and used alone."""

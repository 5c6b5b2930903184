"""The door for people: pages, phone first, Indonesian first, working without script."""

"""The door for programs: JSON over HTTP, English names, stable codes."""

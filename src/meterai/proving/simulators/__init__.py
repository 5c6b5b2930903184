"""Stand-ins for the world outside, speaking its real protocols on 127.0.0.1."""

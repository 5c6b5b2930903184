"""The door for terminals: progress on standard error, data on standard output, exit codes that mean something.

0 all good · 1 not possible (the reason is said) · 2 usage · 3 some failed
"""

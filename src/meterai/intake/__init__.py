"""Opening strangers' files (*pemeriksaan berkas masuk*): in processes of their own, under limits.

A document may be built to exhaust or to fool whoever opens it. So no door opens one: it asks the intake over a
local socket, and a process with bounded memory, bounded time and no network answers, or dies alone.
"""

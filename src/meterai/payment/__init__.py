"""Money that came in (*pembayaran*): requested from a provider, recorded once, reconciled.

A payment knows no order. What fits none stays visibly *unplaced* on the books until it is credited or given
back; nothing that was paid disappears.
"""

"""Who may sell (*kanal*): the issuer, distributors, resellers, post-office counters, event sites.

Each channel has stock, kept as ledger accounts by :mod:`meterai.quota`, and *dated terms*: what it
promises from a moment on. Changing terms never changes what was already sold.
"""

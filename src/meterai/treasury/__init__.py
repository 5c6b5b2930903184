"""Duty owed to the state (*kas negara*): deposits ahead of the stock, and each day's settlement.

Distributors deposit first and take stock against it (PP 86/2021 art. 10, PMK 78/2024): the ledger holds
what was deposited and not yet used, and no stock leaves the issuer beyond it.
"""

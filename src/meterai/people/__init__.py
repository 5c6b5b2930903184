"""People (*orang*), companies with their members (*anggota*), roles, API keys, and signing in.

A *party* is whoever can hold quota: a guest behind a secret link, a person with a telephone number, a company.
The word *account* belongs to the ledger.
"""

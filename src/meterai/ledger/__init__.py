"""The books (*pembukuan*): double entry in units and rupiah, append-only and hash-chained.

An account holds debits and credits, each pending and posted. A transfer moves an amount from its debit
account to its credit account: at once (*single*), or set aside first (*pending*) and then *posted*, *voided*
or *expired*, exactly once. The words and the guarantees are TigerBeetle's. Nothing here knows a feature.
"""

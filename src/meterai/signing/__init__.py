"""Keys, certificates, seals and what they are worth (*segel elektronik*): a tool that knows no stamp duty.

A **seal** is a CMS signature over the digest of a prepared document, with the time of an independent
authority inside (PAdES B-T, ETSI EN 319 142-1). ``seal`` makes it, ``validation`` judges it, ``statement``
and ``paper`` are the one signed format of every certificate we give out, ``vault`` keeps things secret at rest.
"""

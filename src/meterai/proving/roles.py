"""The made-up people of the demo, and what each may do."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from meterai.people.model import Party, PartyKind, Role

_NAMESPACE = UUID("6d657465-7261-4900-8000-64656d6f0000")
DIRECT, SECOND, COUNTER = "langsung", "mitra-contoh", "loket-contoh"
CENTRE, EVENT = "pusat", "cpns-contoh"
"""The channels of the demo."""


def demo_id(name: str) -> UUID:
    """The same made-up thing has the same id in every demo."""
    return uuid5(_NAMESPACE, name)


@dataclass(frozen=True, slots=True)
class DemoRole:
    """One person of the demo and how they are called on the demo page."""

    key: str
    label: str
    label_en: str
    name: str
    phone: str
    role: Role | None = None
    channel: str | None = None

    @property
    def party(self) -> Party:
        """The person."""
        return Party(demo_id(self.key), PartyKind.PERSON, self.name, "id")


COMPANY = Party(demo_id("company"), PartyKind.COMPANY, "PT Contoh Sejahtera", "id")
ROLES = (
    DemoRole("citizen", "Warga", "Citizen", "Warga Contoh", "+6281200000001"),
    DemoRole("owner", "Perusahaan", "Company", "Pemilik Contoh", "+6281200000002"),
    DemoRole(
        "distributor",
        "Distributor",
        "Distributor",
        "Distributor Contoh",
        "+6281200000003",
        Role.DISTRIBUTOR,
        SECOND,
    ),
    DemoRole(
        "clerk",
        "Petugas loket",
        "Counter clerk",
        "Loket Contoh",
        "+6281200000004",
        Role.CLERK,
        COUNTER,
    ),
    DemoRole(
        "committee", "Panitia", "Committee", "Panitia Contoh", "+6281200000005", Role.COMMITTEE
    ),
    DemoRole("officer", "Petugas", "Officer", "Petugas Contoh", "+6281200000006", Role.OFFICER),
    DemoRole(
        "second",
        "Petugas kedua",
        "Second officer",
        "Petugas Kedua Contoh",
        "+6281200000008",
        Role.OFFICER,
    ),
    DemoRole("auditor", "Auditor", "Auditor", "Auditor Contoh", "+6281200000007", Role.AUDITOR),
)

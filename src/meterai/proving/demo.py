"""The demo: made-up people and a company, channels with stock, and one-tap doors for each role."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

from meterai.channel import store as channels
from meterai.channel.model import Channel, ChannelId, Terms
from meterai.db.connection import Connection
from meterai.ids import kin
from meterai.ledger import journal
from meterai.money import Rupiah
from meterai.people import store as people
from meterai.people.model import CompanyRole, Party, PartyKind, Role
from meterai.people.signin import phone_index, seal_phone
from meterai.proving import faults
from meterai.quota.reservation import open_accounts
from meterai.quota.stock import issue, sell_late, stock_account
from meterai.wiring import App

_NAMESPACE = UUID("6d657465-7261-4900-8000-64656d6f0000")
DIRECT, SECOND, COUNTER = (
    ChannelId("langsung"),
    ChannelId("mitra-contoh"),
    ChannelId("loket-contoh"),
)
_SINCE = datetime(2024, 1, 1, tzinfo=UTC)


def _id(name: str) -> UUID:
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
        return Party(_id(self.key), PartyKind.PERSON, self.name, "id")


COMPANY = Party(_id("company"), PartyKind.COMPANY, "PT Contoh Sejahtera", "id")
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
    DemoRole("auditor", "Auditor", "Auditor", "Auditor Contoh", "+6281200000007", Role.AUDITOR),
)

_CHANNELS = (
    (Channel(DIRECT, "Langsung (contoh)", "issuer", None), 1_000_000, 0),
    (Channel(SECOND, "Mitra Contoh", "distributor", DIRECT), 50_000, 500),
    (Channel(COUNTER, "Loket Contoh", "counter", SECOND), 2_000, 500),
)
CITIZEN_UNITS, COMPANY_UNITS = 3, 100_000


def _terms(channel: ChannelId, service_fee: int) -> Terms:
    return Terms(
        channel=channel,
        valid_from=_SINCE,
        duty=Rupiah(10_000),
        service_fee=Rupiah(service_fee),
        units_per_order=500,
        order_seconds=15 * 60,
        file_bytes_max=10_000_000,
        attempts_max=4,
        deadline_seconds=30,
        keep_days=30,
    )


async def seed(app: App) -> None:
    """People, channels, stock and quota of the demo exist; a repetition changes nothing."""
    async with app.database.transaction() as connection:
        await faults.prepare(connection)
        await connection.execute("select pg_advisory_xact_lock(7)")
        if await people.party(connection, COMPANY.id) is not None:
            return
        await _seed_channels(connection)
        await _seed_people(connection, app)
        await _give(connection, ROLES[0].party, CITIZEN_UNITS)
        await _give(connection, COMPANY, COMPANY_UNITS)


async def _seed_channels(connection: Connection) -> None:
    for channel, stock, fee in _CHANNELS:
        await channels.open_channel(connection, channel)
        await channels.set_terms(connection, _terms(channel.id, fee))
        await issue(connection, _id(f"stock of {channel.id}"), channel.id, stock)


async def _seed_people(connection: Connection, app: App) -> None:
    await people.add_party(connection, COMPANY)
    for person in ROLES:
        await people.add_party(
            connection,
            person.party,
            phone=seal_phone(app.vault, person.phone),
            phone_index=phone_index(app.vault, person.phone),
        )
        if person.role is not None:
            await people.give_role(connection, person.party.id, person.role, person.channel)
    owner = next(person for person in ROLES if person.key == "owner")
    await people.join(connection, COMPANY.id, owner.party.id, CompanyRole.OWNER)


async def _give(connection: Connection, party: Party, units: int) -> None:
    """Units straight from the stock: a purchase whose money the demo does not play."""
    stock = await stock_account(connection, DIRECT)
    available, _ = await open_accounts(connection, party.id, DIRECT)
    gift = kin(_id(f"gift to {party.id}"), 1)
    await journal.record(connection, sell_late(gift, stock=stock, available=available, units=units))

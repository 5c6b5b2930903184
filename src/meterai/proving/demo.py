"""The demo: made-up people and a company, channels with stock, and one-tap doors for each role."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from meterai.channel import event as events
from meterai.channel import store as channels
from meterai.channel.allocation import issue_units
from meterai.channel.event import Event, EventRules, Paper
from meterai.channel.model import Channel, ChannelId, Outlet, Terms
from meterai.clock import WIB, now
from meterai.db.connection import Connection
from meterai.errors import Text
from meterai.ids import kin
from meterai.ledger import journal
from meterai.money import Rupiah, Units
from meterai.people import store as people
from meterai.people.model import CompanyRole, Party
from meterai.people.signin import phone_index, seal_phone
from meterai.proving import faults
from meterai.proving.roles import CENTRE, COMPANY, COUNTER, DIRECT, EVENT, ROLES, SECOND, demo_id
from meterai.quota.reservation import open_accounts
from meterai.quota.stock import sell_late, stock_account
from meterai.wiring import App

_SINCE = datetime(2024, 1, 1, tzinfo=UTC)
_CHANNELS = (
    (Channel(ChannelId(CENTRE), "Pusat (contoh)", "issuer", None), 10_000_000, 0),
    (
        Channel(ChannelId(DIRECT), "Langsung (contoh)", "distributor", ChannelId(CENTRE)),
        1_000_000,
        0,
    ),
    (Channel(ChannelId(SECOND), "Mitra Contoh", "distributor", ChannelId(CENTRE)), 50_000, 500),
    (Channel(ChannelId(COUNTER), "Loket Contoh", "counter", ChannelId(SECOND)), 2_000, 500),
    (Channel(ChannelId(EVENT), "Seleksi CPNS (contoh)", "event", ChannelId(DIRECT)), 5_000, 0),
)
_OUTLETS = (
    Outlet(
        "loket-pasar-baru",
        ChannelId(COUNTER),
        "Loket Pasar Baru (contoh)",
        "Jalan Contoh 1, Jakarta",
        -6.166,
        106.835,
    ),
    Outlet(
        "loket-malioboro",
        ChannelId(COUNTER),
        "Loket Malioboro (contoh)",
        "Jalan Contoh 2, Yogyakarta",
        -7.793,
        110.366,
    ),
)
_INTAKE = Event("cpns", ChannelId(EVENT), "Seleksi CPNS (contoh)", "Panitia Seleksi Contoh")
_PAPERS = (
    Paper(Text("Surat lamaran", "Letter of application"), "statement", 1),
    Paper(Text("Surat pernyataan", "Statement letter"), "statement", 1),
)
_INTAKE_RULES = (
    Text("Tanda tangani dahulu, baru bubuhkan meterai.", "Sign first, then stamp."),
    Text(
        "Letakkan di samping tanda tangan; jangan menutupi tanda tangan atau tulisan.",
        "Place it beside the signature; cover neither signature nor text.",
    ),
    Text(
        "Satu keping untuk satu dokumen. Keping yang sama di dua dokumen berarti gugur.",
        "One unit a document. The same unit on two documents disqualifies.",
    ),
    Text(
        "PDF ukuran A4, paling besar 800 KB, dipindai dengan pemindai.",
        "PDF in A4, at most 800 KB, scanned with a scanner.",
    ),
    Text(
        "Setelah dibubuhi, jangan diperkecil, diubah nama, atau disunting.",
        "After stamping, do not compress, rename or edit the file.",
    ),
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
        if channel.id != CENTRE:  # the centre sells to nobody
            terms = _terms(channel.id, fee)
            if channel.id == EVENT:  # against hoarding, and as the intake wants its files
                terms = replace(terms, units_per_order=10, units_per_day=20, file_bytes_max=800_000)
            await channels.set_terms(connection, terms)
        await issue_units(connection, demo_id(f"stock of {channel.id}"), channel.id, Units(stock))
    for outlet in _OUTLETS:
        await channels.add_outlet(connection, outlet)
    await events.open_event(connection, _INTAKE)
    first = (now() + timedelta(days=17)).astimezone(WIB).replace(hour=23, minute=59, second=59)
    for since, deadline in ((_SINCE, first), (now(), first + timedelta(days=4))):
        rules = EventRules(since, deadline, 800_000, _PAPERS, _INTAKE_RULES)
        await events.set_rules(connection, _INTAKE.code, rules)


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
    gift = kin(demo_id(f"gift to {party.id}"), 1)
    await journal.record(connection, sell_late(gift, stock=stock, available=available, units=units))

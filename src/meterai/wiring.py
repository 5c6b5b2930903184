"""Built once, handed down: what each process needs, made from the settings and nothing else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from meterai.affixing.affix import Workbench
from meterai.affixing.model import Affixing
from meterai.affixing.paid import Report, take_reports
from meterai.affixing.reservation import AffixingWish, reserve_all
from meterai.channel.model import ChannelId
from meterai.clock import now
from meterai.db.batcher import Batcher
from meterai.db.connection import Database
from meterai.intake.client import Intake
from meterai.objects.bucket import BucketObjects
from meterai.objects.folder import FolderObjects
from meterai.objects.store import EncryptedObjects, Objects
from meterai.payment.model import PaymentNotice
from meterai.payment.provider import Provider
from meterai.payment.snap import SnapProvider
from meterai.sale.checkout import Wish, place_all
from meterai.sale.model import Order
from meterai.settings import Settings
from meterai.signing.errors import TimeStampUnavailable
from meterai.signing.keys import FileKey, Pkcs11Key, SealKey
from meterai.signing.paper import Wording, write_paper
from meterai.signing.report import Outcome, SignatureReport
from meterai.signing.seal import Sealer
from meterai.signing.statement import StatementKey, verify
from meterai.signing.time_stamps import TimeStamps
from meterai.signing.trust import Trust
from meterai.signing.validation import examine
from meterai.signing.vault import Vault


@dataclass(frozen=True, slots=True)
class App:
    """What a door works with."""

    settings: Settings
    database: Database
    objects: Objects
    vault: Vault
    intake: Intake
    statements: StatementKey
    time_stamps: TimeStamps
    provider: Provider | None
    reservations: Batcher[AffixingWish, Affixing]
    orders: Batcher[Wish, Order]
    payments: Batcher[Report, PaymentNotice]

    @property
    def channel(self) -> ChannelId:
        """The channel that this installation's own pages sell for."""
        return ChannelId(self.settings.channel)

    async def examine_file(self, file: bytes) -> tuple[bool, bytes | None, str]:
        """Whether one of our own files still verifies, asked of the intake."""
        return _said(await self.intake.examine(file))

    async def examine_here(self, file: bytes) -> tuple[bool, bytes | None, str]:
        """The same in this very process, where no intake runs."""
        return _said(examine(file, trust_of(self.settings), now()))

    def read_statement(self, statement: str) -> tuple[str, dict[str, object]]:
        """Kind and facts of a statement of ours; raises when its signature is not."""
        found = verify(statement, self.statements.public_keys())
        return found.kind, found.facts

    async def write_paper(self, statement: str, wording: Wording) -> bytes:
        """The statement as a sealed PDF; without a time stamp only while no authority answers."""
        try:
            return await write_paper(statement, wording, self.statements, self.time_stamps)
        except TimeStampUnavailable:
            return await write_paper(statement, wording, self.statements, None)

    def address_of(self, serial: str) -> str:
        """The address in a serial's QR code: verify page, serial, short MAC, nothing personal."""
        return f"{self.settings.base_url}/c/{serial}?m={self.vault.short_mac(serial.encode())}"


def _said(report: SignatureReport) -> tuple[bool, bytes | None, str]:
    sound = report.outcome is Outcome.SOUND
    wrong = " ".join(reason.value for reason in report.reasons)
    return sound, report.signed_sha256, wrong


def vault_of(settings: Settings) -> Vault:
    """The vault of this installation; its secret is made by ``meterai run`` before anything else."""
    return Vault((settings.keys / "secret").read_bytes())


def objects_of(settings: Settings, vault: Vault) -> Objects:
    """Where files are kept, encrypted."""
    if settings.objects_url is None:
        return EncryptedObjects(FolderObjects(settings.data_dir / "objects"), vault)
    return EncryptedObjects(BucketObjects(settings.objects_url), vault)


def trust_of(settings: Settings) -> Trust:
    """Whose seals are recognised."""
    return Trust.load(settings.keys / "trust")


def seal_key_of(settings: Settings) -> SealKey:
    """The sealing key: a device where one is configured, else a file."""
    chain = settings.keys / "seal-chain.pem"
    if settings.pkcs11_module is None:
        return FileKey.load(settings.keys / "seal.key", chain)
    pin = settings.pkcs11_pin_file
    return Pkcs11Key.open(
        settings.pkcs11_module,
        token=settings.pkcs11_token or "meterai",
        label=settings.pkcs11_key or "seal",
        pin="" if pin is None else pin.read_text().strip(),
        chain=chain,
    )


def provider_of(settings: Settings) -> Provider | None:
    """The payment provider, if one is configured."""
    if settings.payment_url is None:
        return None
    return SnapProvider.load(
        settings.payment_url, settings.payment_client or "meterai", settings.keys
    )


@asynccontextmanager
async def open_app(settings: Settings, name: str) -> AsyncIterator[App]:
    """What a door works with, closed at the end."""
    async with AsyncExitStack() as stack:
        database = await Database.connect(settings.dsn, size_max=12, name=name)
        stack.push_async_callback(database.close)
        vault = vault_of(settings)
        time_stamps = await stack.enter_async_context(
            TimeStamps.connect(settings.time_stamp_urls, settings.keys / "trust")
        )
        provider = provider_of(settings)
        if provider is not None:
            stack.push_async_callback(provider.close)
        reservations = await stack.enter_async_context(Batcher(database, reserve_all))
        orders = await stack.enter_async_context(Batcher(database, place_all, flushers=1))
        payments = await stack.enter_async_context(Batcher(database, take_reports, flushers=1))
        yield App(
            settings=settings,
            database=database,
            objects=objects_of(settings, vault),
            vault=vault,
            intake=Intake(settings.intake_socket),
            statements=StatementKey.load(settings.keys),
            time_stamps=time_stamps,
            provider=provider,
            reservations=reservations,
            orders=orders,
            payments=payments,
        )


def open_workbench(app: App) -> Workbench:
    """What an affixing is made with."""
    return Workbench(
        database=app.database,
        objects=app.objects,
        sealer=Sealer(seal_key_of(app.settings), app.time_stamps),
        signer=app.statements,
        address_of=app.address_of,
    )

"""What we write to people; the texts of messages live here, at the door."""

from meterai.db.connection import Connection
from meterai.ids import new_id
from meterai.notice.store import Message, put
from meterai.people.model import masked_phone
from meterai.people.signin import RequestedCode, seal_phone
from meterai.signing.vault import Vault

SECRET = b"message secret"
MASK = "••••••"


async def code_message(
    connection: Connection, vault: Vault, phone: str, requested: RequestedCode, language: str
) -> None:
    """The one-time code is on its way. The code itself is kept encrypted, beside the text."""
    text = (
        "{secret} is your meterai sign-in code. It is good for 10 minutes. Tell it to nobody."
        if language == "en"
        else "{secret} adalah kode masuk meterai Anda, berlaku 10 menit. Jangan beri tahu siapa pun."
    )
    await put(
        connection,
        Message(
            id=new_id(),
            medium="whatsapp",
            template="one_time_code",
            recipient=seal_phone(vault, phone),
            shown=masked_phone(phone),
            text=text,
            secret=vault.seal(requested.code.encode(), SECRET),
            about=requested.id,
        ),
    )


def readable(message: Message, vault: Vault, *, secrets_too: bool) -> str:
    """The message's text; a code in it is masked unless ``secrets_too`` (in the demo)."""
    if message.secret is None:
        return message.text
    shown = vault.open(message.secret, SECRET).decode() if secrets_too else MASK
    return message.text.replace("{secret}", shown)

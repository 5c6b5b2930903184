"""The process in front of the web workers: it only starts and watches them, so it loads nothing else."""

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from meterai.intake.limits import die_with_parent
from meterai.logs import configure
from meterai.settings import Settings


def run_web(settings: Settings, application: str) -> None:
    """Answers over HTTP until SIGTERM; ``application`` is ``module:function``."""
    configure(settings.log_level)
    die_with_parent(settings.watcher)
    Granian(
        application,
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        workers=1,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    ).serve()

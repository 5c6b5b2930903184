"""Drawing serial numbers."""

from meterai.ids import draw
from meterai.serial.model import DRAWN, SerialNumber, number_from


def draw_number() -> SerialNumber:
    """A serial nobody has: 21 signs by chance and the check character."""
    return number_from(draw(36, DRAWN))

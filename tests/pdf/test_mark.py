import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from segno.encoder import evaluate_mask

from meterai.pdf import lettering, qr
from meterai.pdf.errors import RequestNotUnderstood
from meterai.pdf.increment import Mark, prepare
from meterai.pdf.mark import SIZE_MIN_PT, face, ground
from meterai.pdf.model import Place
from world import pictures
from world.documents import SERIAL, letter, request

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ADDRESSES = [
    "https://meterai.example.id/c/7K4P2M9QAB0O1I5S8BZ2XY?m=ABCD2345",
    "HTTPS://METERAI.ID/C/7K4P2M9QAB0O1I5S8BZ2XY/ABCD2345",
    "http://127.0.0.1:8000/c/7K4P2M9QAB0O1I5S8BZ2XY?m=ABCD2345",
    # the longest that are taken: 106 bytes, or 154 signs in capitals
    "https://meterai.example.id/c/7K4P2M9QAB0O1I5S8BZ2XY?m=ABCD2345".ljust(106, "x"),
    "HTTPS://METERAI.ID/C/7K4P2M9QAB0O1I5S8BZ2XY/ABCD2345".ljust(154, "X"),
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("renderer", pictures.RENDERERS)
@pytest.mark.parametrize("dpi", [150, 200, 300])
def test_the_code_is_read_from_the_page(address: str, renderer: str, dpi: int) -> None:
    document = prepare(letter(), request(Mark(SERIAL, address, Place(1, 100, 150)))).sealed_with(
        b""
    )
    assert pictures.codes(pictures.picture(document, renderer, dpi)) == [address]


@pytest.mark.parametrize("renderer", pictures.RENDERERS)
def test_the_smallest_mark_is_still_read_at_print_resolution(renderer: str) -> None:
    small = Mark(SERIAL, ADDRESSES[0], Place(1, 100, 150), size_pt=SIZE_MIN_PT)
    document = prepare(letter(), request(small)).sealed_with(b"")
    assert pictures.codes(pictures.picture(document, renderer, 200)) == [ADDRESSES[0]]


@given(st.text(SIGNS, min_size=22, max_size=22))
@settings(max_examples=30, deadline=None)
def test_every_serial_is_drawn_with_paths_alone(serial: str) -> None:
    drawing = ground() + b"\n" + face(serial, ADDRESSES[0]).removeprefix(b"/G Do ")
    operators = {word for word in drawing.split() if word.isalpha()}
    # no text, no image, no graphics state that could hide transparency
    assert operators <= {b"q", b"Q", b"cm", b"cs", b"CS", b"sc", b"SC", b"w", b"J", b"j",
                         b"m", b"l", b"c", b"h", b"re", b"f", b"S"}  # fmt: skip


def test_each_sign_looks_different() -> None:
    drawings = {lettering.drawn(sign, 0, 0, cap=100, advance=0) for sign in SIGNS}
    assert len(drawings) == len(SIGNS)


def test_serials_differ_in_their_drawing() -> None:
    other = SERIAL[:-1] + "Z"
    assert face(SERIAL, ADDRESSES[0]) != face(other, ADDRESSES[0])


@pytest.mark.parametrize(
    "serial",
    ["", "7K4P", SERIAL + "A", SERIAL.lower(), "o" * 22, SERIAL[:-1] + "é", SERIAL[:-1] + "-"],
)
def test_what_is_no_serial_is_not_drawn(serial: str) -> None:
    with pytest.raises(RequestNotUnderstood):
        face(serial, ADDRESSES[0])


def test_an_address_that_makes_too_fine_a_code_is_refused() -> None:
    with pytest.raises(RequestNotUnderstood):
        face(SERIAL, "https://m.test/".ljust(107, "x"))


def test_capitals_make_a_smaller_code() -> None:
    plain = "https://meterai.example.id/c/7k4p2m9qab0o1i5s8bz2xy/abcd2345"
    assert len(qr.modules(plain.upper())) < len(qr.modules(plain))


addresses = st.one_of(
    st.text(SIGNS + "$%*+-./: ", min_size=1, max_size=154),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=106),
)


@given(addresses)
@settings(max_examples=150, deadline=None)
def test_the_symbol_is_one_that_another_encoder_draws_under_a_mask_that_is_no_worse_than_usual(
    address: str,
) -> None:
    mode = None if address.strip("0123456789") else "alphanumeric"
    ours = qr.modules(address)
    drawn = [
        tuple(
            map(
                bytes,
                segno.make(
                    address, error="m", micro=False, boost_error=False, mode=mode, mask=mask
                ).matrix,
            )
        )
        for mask in range(8)
    ]
    assert ours in drawn
    best = segno.make(address, error="m", micro=False, boost_error=False, mode=mode)
    if ours != tuple(map(bytes, best.matrix)):
        assert hardness(ours) <= 1.2 * hardness(tuple(map(bytes, best.matrix)))


def hardness(rows: tuple[bytes, ...]) -> int:
    """The penalty of a whole symbol, as another encoder counts it."""
    size = len(rows)
    found = evaluate_mask([bytearray(row) for row in rows], size, size)  # type: ignore[no-untyped-call]
    return int(found)


@given(addresses)
@settings(max_examples=60, deadline=None)
def test_the_symbol_is_read_by_another_decoder(address: str) -> None:
    rows = qr.modules(address)
    dots = bytes(255 * (1 - dark) for row in rows for dark in row)
    symbol = Image.frombytes("L", (len(rows), len(rows)), dots)
    drawn = Image.new("L", (4 * len(rows) + 32, 4 * len(rows) + 32), 255)
    drawn.paste(symbol.resize((4 * len(rows), 4 * len(rows)), Image.Resampling.NEAREST), (16, 16))
    assert pictures.codes(drawn) == [address]


@given(addresses)
@settings(max_examples=40, deadline=None)
def test_the_path_covers_exactly_the_dark_modules(address: str) -> None:
    size, path = qr.path(address)
    painted = [[0] * size for _ in range(size)]
    for line in path.splitlines():
        x, y, width, height = (int(word) for word in line.split()[:4])
        for row in range(size - y - height, size - y):
            for column in range(x, x + width):
                painted[row][column] += 1
    assert tuple(map(bytes, painted)) == qr.modules(address)


@pytest.mark.parametrize("address", ["", "https://méterai.id/", "x" * 107, "X" * 155])
def test_what_no_symbol_holds_is_refused(address: str) -> None:
    with pytest.raises(RequestNotUnderstood):
        qr.path(address)


def test_text_is_as_wide_as_it_says() -> None:
    path = lettering.drawn("HHH", 0, 0, cap=10, advance=8)
    ends = [float(word) for line in path.splitlines() for word in line.split()[:-1:2]]
    assert max(ends) == pytest.approx(lettering.drawn_width("HHH", 10, 8))


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, b"0"), (-0.001, b"0"), (1.5, b"1.5"), (-2.346, b"-2.35"), (10, b"10")],
)
def test_numbers_are_written_short(value: float, written: bytes) -> None:
    assert lettering.number(value) == written

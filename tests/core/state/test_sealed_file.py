"""A sealed file: it is as it was written from its first byte to its last, or nothing of it is taken."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.errors import FileError
from ringfence.core.state.sealed_file import SealedReader, SealingWriter, read_head

KEY, OTHER = bytes(32), bytes(31) + b"\x01"
PIECES = [b"first", b"", b"third" * 9]


def written(key: bytes = KEY) -> bytes:
    file = io.BytesIO()
    writer = SealingWriter(file, key, {"what": "a test"})
    for piece in PIECES:
        writer.write(piece)
    writer.finish({"pieces": len(PIECES)})
    return file.getvalue()


def read(content: bytes, key: bytes = KEY) -> list[bytes]:
    reader = SealedReader(io.BytesIO(content), key, "x")
    return [*reader.pieces(), str(reader.known).encode()]


WHOLE = written()


def test_it_comes_out_as_it_went_in() -> None:
    assert read(WHOLE) == [*PIECES, b"{'pieces': 3}"]
    assert read_head(io.BytesIO(WHOLE), "x")["what"] == "a test"
    assert b"third" not in WHOLE
    assert written() != WHOLE


@given(st.data())
def test_one_byte_changed_or_a_cut_anywhere_is_refused(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(WHOLE) - 1))
    flipped = bytearray(WHOLE)
    flipped[place] ^= data.draw(st.integers(1, 255))

    for spoilt in (bytes(flipped), WHOLE[:place], WHOLE + b"x"):
        with pytest.raises(FileError):
            read(spoilt)


def frames() -> tuple[bytes, list[bytes]]:
    head, _, rest = WHOLE.partition(b"\n")
    found = []
    while rest:
        size = 5 + int.from_bytes(rest[1:5])
        found.append(rest[:size])
        rest = rest[size:]
    return head + b"\n", found


def test_frames_in_another_order_or_left_out_or_of_another_file_are_refused() -> None:
    head, (one, two, three, end) = frames()

    assert head + one + two + three + end == WHOLE
    for others in ([two, one, three, end], [one, three, end], [one, two, three, three, end], [one, two, three], [end]):
        with pytest.raises(FileError):
            read(head + b"".join(others))
    with pytest.raises(FileError):
        read(written().partition(b"\n")[0] + b"\n" + one + two + three + end)
    with pytest.raises(FileError):
        read(WHOLE, OTHER)

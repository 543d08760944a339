"""What is at rest: sealed, opened with its own key only, and found by a hash that outlives the key."""

from __future__ import annotations

import base64
import os
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.errors import ErrorCode, SettingsError, StateError
from ringfence.core.state.keyring import KEY_BYTES, Keyring, parse_key, read_or_create_key_file, unwrap_key, wrap_key
from ringfence.core.state.store import open_store

OURS, THEIRS, HASH = (bytes([byte]) * KEY_BYTES for byte in (1, 2, 3))
NUMBER = "+14155550132"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_what_was_sealed_is_opened_unchanged(content: Any) -> None:
    assert Keyring(OURS, HASH).open(Keyring(OURS, HASH).seal(content)) == content


def test_a_moment_comes_out_as_its_text_and_other_objects_do_not_go_in() -> None:
    ring = Keyring(OURS, HASH)

    assert ring.open(ring.seal([datetime(2026, 11, 2, 9, tzinfo=UTC)])) == [["2026-11-02T09:00:00+00:00"]]
    with pytest.raises(TypeError, match="bytes"):
        ring.seal([b"x"])


def test_a_payload_shows_nothing_of_its_content_and_is_never_the_same_twice() -> None:
    ring = Keyring(OURS, HASH)
    first, second = (ring.seal([NUMBER]) for _ in range(2))

    assert first != second
    assert NUMBER.encode() not in first
    assert NUMBER[1:].encode() not in first


def test_another_key_opens_nothing() -> None:
    with pytest.raises(StateError, match="another key") as caught:
        Keyring(THEIRS, HASH).open(Keyring(OURS, HASH).seal([NUMBER]))
    assert caught.value.code is ErrorCode.ENCRYPTION_KEY_LEFT_OUT
    assert NUMBER not in str(caught.value)


@given(st.data())
def test_a_changed_or_cut_payload_is_refused(data: st.DataObject) -> None:
    ring = Keyring(OURS, HASH)
    sealed = ring.seal([NUMBER])
    place = data.draw(st.integers(0, len(sealed) - 1))
    flipped = bytearray(sealed)
    flipped[place] ^= data.draw(st.integers(1, 255))
    for spoilt in (bytes(flipped), sealed[:place]):
        with pytest.raises(StateError):
            ring.open(spoilt)


def test_a_payload_of_a_later_format_names_what_helps() -> None:
    sealed = Keyring(OURS, HASH).seal([])

    with pytest.raises(StateError, match="unknown format") as caught:
        Keyring(OURS, HASH).open(b"\x04" + sealed[1:])
    assert "version" in caught.value.remedy


def test_a_payload_is_opened_in_its_own_place_only() -> None:
    ring = Keyring(OURS, HASH)
    sealed = ring.seal([NUMBER], b"here")

    assert ring.open(sealed, b"here") == [NUMBER]
    for elsewhere in (b"there", b""):
        with pytest.raises(StateError):
            ring.open(sealed, elsewhere)
    with pytest.raises(StateError):
        ring.open(b"\x01" + sealed[1:], b"here")


def test_a_payload_of_a_version_that_knew_no_places_is_opened_in_any() -> None:
    nonce = bytes(12)
    sealed = b"\x01" + nonce + AESGCM(OURS).encrypt(nonce, zlib.compress(b'["+14155550132"]'), None)

    assert Keyring(OURS, HASH).open(sealed, b"here") == [NUMBER]


def test_a_payload_names_its_key_and_an_old_key_still_opens_it() -> None:
    before, during, after = Keyring(OURS, HASH), Keyring(THEIRS, HASH, OURS), Keyring(THEIRS, HASH)
    sealed = before.seal([NUMBER], b"here")

    resealed = during.reseal(sealed, b"here")

    assert sealed.startswith(before.mark)
    assert during.open(sealed, b"here") == after.open(resealed, b"here") == [NUMBER]
    assert resealed.startswith(after.mark)
    assert before.key_id != after.key_id
    assert during.seal([]).startswith(after.mark)


def test_a_payload_that_names_no_key_is_opened_by_whichever_fits() -> None:
    nonce = bytes(12)
    body = AESGCM(OURS).encrypt(nonce, zlib.compress(b'["+14155550132"]'), b"\x02before")
    ring = Keyring(THEIRS, HASH, OURS)

    assert ring.open(b"\x02" + nonce + body, b"here", b"before") == [NUMBER]
    assert Keyring(THEIRS, HASH).open(ring.reseal(b"\x02" + nonce + body, b"here", b"before"), b"here") == [NUMBER]
    with pytest.raises(StateError):
        ring.open(b"\x02" + nonce + body, b"here")


def test_a_store_has_a_name_and_authenticates_for_one_purpose_at_a_time() -> None:
    ours, rotated, theirs = Keyring(OURS, HASH), Keyring(THEIRS, HASH), Keyring(OURS, THEIRS)

    seals = [ring.authenticator(purpose).digest() for ring in (ours, theirs) for purpose in ("plan", "other")]

    assert len(set(seals)) == 4
    assert ours.name == rotated.name
    assert ours.name != theirs.name
    assert ours.number_key("purpose:name").hex() != ours.name


def test_numbers_are_found_again_under_a_new_encryption_key_but_not_under_another_hash_key() -> None:
    wrapped = wrap_key(OURS, HASH)
    rotated = wrap_key(THEIRS, unwrap_key(OURS, wrapped))

    before, after = Keyring(OURS, unwrap_key(OURS, wrapped)), Keyring(THEIRS, unwrap_key(THEIRS, rotated))

    assert before.number_key(NUMBER) == after.number_key(NUMBER)
    assert before.number_key(NUMBER) != before.number_key(NUMBER + "1")
    assert before.number_key(NUMBER) != Keyring(OURS, THEIRS).number_key(NUMBER)
    assert len(before.number_key(NUMBER)) == 16
    assert HASH not in wrapped
    with pytest.raises(StateError, match="another key"):
        unwrap_key(THEIRS, wrapped)
    with pytest.raises(StateError):
        unwrap_key(OURS, wrapped[:6])


@pytest.mark.parametrize(
    "encoded",
    ["", "secret-value", "c2hvcnQ=", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode()],
)
def test_a_key_that_is_none_is_refused_without_being_shown(encoded: str) -> None:
    with pytest.raises(SettingsError, match="not base64 of 32 bytes") as caught:
        parse_key(encoded)
    assert not encoded or encoded not in str(caught.value)


def test_a_key_may_have_white_space_around_it() -> None:
    assert parse_key(f" {base64.b64encode(OURS).decode()}\n") == OURS


def test_a_key_file_is_made_once(tmp_path: Path) -> None:
    key = read_or_create_key_file(tmp_path / "state.key")

    assert len(key) == KEY_BYTES
    assert read_or_create_key_file(tmp_path / "state.key") == key


@pytest.mark.parametrize("content", [b"\n", b"garbage", b"\xff\xfe", base64.b64encode(bytes(16))])
def test_a_damaged_key_file_is_named_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.key"
    path.write_bytes(content)

    with pytest.raises(StateError, match=r"state\.key is damaged") as caught:
        read_or_create_key_file(path)
    assert "backup" in caught.value.remedy
    assert path.read_bytes() == content


def test_a_key_file_that_cannot_be_made_or_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be created"):
        read_or_create_key_file(tmp_path / "absent" / "state.key")

    (tmp_path / "state.key").mkdir()
    with pytest.raises(StateError, match="cannot be read"):
        read_or_create_key_file(tmp_path / "state.key")


def test_a_store_opens_with_the_key_that_made_it_only(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    ours, theirs = (base64.b64encode(os.urandom(KEY_BYTES)).decode() for _ in range(2))
    made = open_store(url, ours)
    sealed = made.keyring.seal([NUMBER])

    made.close()

    with pytest.raises(StateError, match="another key"):
        open_store(url, theirs)

    again = open_store(url, ours)
    assert again.keyring.open(sealed) == [NUMBER]
    assert again.keyring.number_key(NUMBER) == made.keyring.number_key(NUMBER)

    again.close()
    assert not (tmp_path / "state.key").exists()

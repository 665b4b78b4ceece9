"""Formats stand still: bytes of 100 values of every kind, and which of 2,000 spoiled ones a reader takes."""

import json
from typing import Any

import pytest

from tests.vectors.golden_bytes import DRAWN, FILE, FORMS, HASHES, Draw, form_vector, hash_vector

WANTED: dict[str, Any] = json.loads(FILE.read_text())


def test_every_form_has_its_vector() -> None:
    assert (list(WANTED["forms"]), list(WANTED["hashes"])) == (list(FORMS), list(HASHES))


@pytest.mark.parametrize("name", FORMS)
def test_a_form_has_the_bytes_it_had(name: str) -> None:
    assert form_vector(name, FORMS[name]) == WANTED["forms"][name]


@pytest.mark.parametrize("name", FORMS)
def test_what_is_written_is_read_back(name: str) -> None:
    form, draw = FORMS[name], Draw(f"back {name}")
    for value in (form.make(draw) for _ in range(DRAWN)):
        assert form.decode(form.encode(value)) == value


@pytest.mark.parametrize("name", HASHES)
def test_what_is_signed_and_hashed_is_what_it_was(name: str) -> None:
    assert hash_vector(name, *HASHES[name]) == WANTED["hashes"][name]

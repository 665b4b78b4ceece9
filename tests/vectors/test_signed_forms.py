"""The page's vectors of what is signed are those of base/forms."""

import json

from tests.vectors.signed_forms import FILE, vectors


def test_the_pages_vectors_are_what_the_forms_give() -> None:
    assert json.loads(FILE.read_text()) == vectors(), "run python -m tests.vectors.signed_forms"

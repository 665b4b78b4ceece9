"""Errors carry a stable reason, show their figures, and survive a trip between processes."""

import pickle

from coinone.base.primitives.errors import CoinoneError, InvalidTransaction, StorageError


def test_an_error_names_its_reason_and_the_figures_behind_it() -> None:
    error = InvalidTransaction("nonce too low", want=5, have=3)
    assert (error.reason, str(error)) == ("nonce too low", "nonce too low (want=5, have=3)")


def test_an_error_is_the_same_after_pickling() -> None:
    error = pickle.loads(pickle.dumps(InvalidTransaction("nonce too low", want=5)))
    assert type(error) is InvalidTransaction
    assert (error.reason, error.details) == ("nonce too low", {"want": 5})


def test_a_hostile_detail_is_cut_to_a_line() -> None:
    assert len(str(InvalidTransaction("bad", have=b"\xff" * 1000))) < 120


def test_a_storage_error_is_never_taken_for_bad_input() -> None:
    assert issubclass(StorageError, CoinoneError)
    assert not issubclass(StorageError, InvalidTransaction)

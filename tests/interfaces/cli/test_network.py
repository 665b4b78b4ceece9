"""`coinone network`: what it refuses before it starts or kills anything."""

import os
from pathlib import Path

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.cli.serving import local_network
from coinone.interfaces.cli.serving.local_network import Settings, kill, run, start, stop
from coinone.node.storage.folder_lock import FILE, FolderLock, owner_of_lock


def test_a_lock_names_its_process_only_while_it_is_held(tmp_path: Path) -> None:
    assert owner_of_lock(tmp_path / "none") is None
    lock = FolderLock(tmp_path)
    assert owner_of_lock(tmp_path) == os.getpid()
    lock.release()
    assert (tmp_path / FILE).read_text() == f"{os.getpid()}\n" and owner_of_lock(tmp_path) is None


def test_the_process_of_a_member_that_ended_is_not_signalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut another program may have its number."""
    FolderLock(tmp_path / "member0").release()
    signalled: list[object] = []
    monkeypatch.setattr(local_network.os, "kill", lambda *given: signalled.append(given))
    for act in (kill, stop):
        with pytest.raises(InvalidInput, match="no such member runs"):
            act(tmp_path, "member0")
    assert signalled == [] and not (tmp_path / "member0" / "stopped").exists()
    with pytest.raises(InvalidInput, match="no such member"):
        start(tmp_path, "member9")


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(InvalidInput, match="is not empty and no network"):
        run(tmp_path, Settings(4, 3101))
    assert [each.name for each in tmp_path.iterdir()] == ["letter"]

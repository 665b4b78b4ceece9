"""All state tests and block tests once more, every contract compiled before it first runs (compiled.py)."""

import os
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.vectors import test_block_vectors, test_state_vectors
from tests.vectors.compiled import Tally, prepare, run_files
from tests.vectors.test_state_vectors import files_of

LEAST = {**dict.fromkeys(test_state_vectors.ARCHIVES, 4_400), **test_block_vectors.ARCHIVES}
WORKERS = min(os.cpu_count() or 1, 8)  # half a gigabyte each
FILES = 20  # neighbours, which often share contracts, for a process at a time


@pytest.mark.slow
def test_every_state_and_block_test_ends_as_expected_with_compiled_contracts() -> None:
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    failures: list[str] = []
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), prepare) as processes:
        waiting = []
        for archive in LEAST:
            files = list(files_of(archive))
            parts = [files[start : start + FILES] for start in range(0, len(files), FILES)]
            waiting += [(archive, processes.submit(run_files, archive, part)) for part in parts]
        for archive, part in waiting:
            tally, wrong = part.result()
            tallies[archive] += tally
            failures += wrong
    for archive, tally in tallies.items():
        print(f"\n{archive}: {tally}")
    assert failures == []
    for archive, least in LEAST.items():
        assert tallies[archive].cases >= least, "the archive holds fewer cases than it should"
    every = sum(tallies.values(), Tally())
    assert every.compiled + every.plain + every.long == every.contracts > 40_000
    assert every.plain < every.contracts // 20, "most contracts hold something to compile"
    assert (every.by_reference, every.in_part) == (0, 0)
    assert every.long <= 8, "init code of 60,000 bytes, in four cases"

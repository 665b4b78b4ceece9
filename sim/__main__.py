"""`python -m sim --seed 7 [--runs 20]`: simulate, print one line for each run; that of a failing run reproduces it."""

import argparse
import sys
import time

from coinone.node.networks import load_network
from sim.scenario import Scenario


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sim", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--runs", type=int, default=1, help="how many seeds from there on")
    options = parser.parse_args()
    network = load_network("dev")
    failed = 0
    for seed in range(options.seed, options.seed + options.runs):
        begun = time.perf_counter()
        try:
            print(f"{Scenario(seed, network).run().line()}, {time.perf_counter() - begun:.1f} s")
        except Exception as error:  # whatever it is, the seed is what matters
            failed += 1
            print(f"seed {seed}: FAILED: {type(error).__name__}: {error}\n  again with: make sim SEED={seed}")
            if options.runs == 1:
                raise
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

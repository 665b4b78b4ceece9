"""`coinone warm`: import all modules with jitted code and compile what they register."""

import importlib
import pkgutil
import time

from rich.console import Console

import coinone.base
import coinone.rules
from coinone.base.primitives import jit


def run() -> None:
    console = Console()
    began = time.perf_counter()
    with console.status("compiling (two to four minutes the first time, then from the cache)"):
        for package in (coinone.base, coinone.rules):
            for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
                importlib.import_module(module.name)
        count = jit.warm()
    folder = jit.cache_folder("coinone.rules.exchange.kernel.run")
    where = (
        folder.parent if folder else "memory only: no cache folder is writable (COINONE_CACHE_DIR sets one)"
    )
    console.print(
        f"compiled {count} groups of kernels in {time.perf_counter() - began:.1f} s; cache: {where}"
    )

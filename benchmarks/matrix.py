"""Run the linter's tests with every Python there is, and with the lowest and the newest of what it needs.

    python -m benchmarks.matrix --environments DIR --tests tests/rules tests/test_plugin.py

Each pair of a Python and a choice of versions gets an environment of its own, without torch: the linter needs none.
"""

from __future__ import annotations

import argparse
import configparser
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.table import format_table

PROJECT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
CHOICES = ("lowest", "newest")
# What the tests of the linter need besides.
TOOLS = ("pytest", "hypothesis", "jinja2>=3", "markdown-it-py>=3", "pygments>=2.15")
# Front ends, caches, the grammar of each Python, what nobody has written, and a finding of each rule.
TESTS = (
    *("tests/test_plugin.py", "tests/test_verdicts.py", "tests/test_cache.py", "tests/test_cache_trust.py"),
    *(
        "tests/test_newer_grammar.py",
        "tests/test_fuzz.py",
        "tests/test_incremental.py",
        "tests/test_seeds.py",
    ),
    *("tests/test_bad_input.py", "tests/test_untrusted_files.py", "tests/test_walk.py", "tests/rules"),
)
HEAD = ("Python", "versions", "flake8", "libcst", "msgspec", "rich", "tests")
SHOWN = 30


@dataclass(frozen=True)
class Environment:
    """A Python with the packages that the linter needs, in the lowest or the newest versions."""

    python: str
    choice: str
    folder: Path

    @property
    def command(self) -> str:
        """Return the interpreter."""
        return str(self.folder / "bin" / "python")

    def make(self) -> None:
        """Make the environment, if it is not there yet."""
        if not self.folder.exists():
            subprocess.run([self.python, "-m", "venv", str(self.folder)], check=True)
            self.pip("install", *needed(self.choice), *TOOLS)

    def pip(self, *arguments: str) -> str:
        """Run pip, and return what it prints."""
        options = ("--disable-pip-version-check", *(["--quiet"] if arguments[0] == "install" else []))
        done = subprocess.run(
            [self.command, "-m", "pip", *arguments, *options], capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{self.folder.name}: pip fails: {done.stderr[-800:]}")
        return done.stdout

    def versions(self) -> Mapping[str, str]:
        """Return what is installed, by name."""
        lines = self.pip("list", "--format=freeze").splitlines()
        return dict(line.lower().split("==") for line in lines if "==" in line)

    def test(self, tests: Sequence[str]) -> tuple[int, str]:
        """Install the project without what it needs, run tests, and return the exit code and what pytest says."""
        self.pip("install", "--no-deps", "--no-build-isolation", "--editable", str(PROJECT))
        command = [self.command, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, env=plain_environment())
        return done.returncode, done.stdout + done.stderr


def needed(choice: str) -> list[str]:
    """Return what setup.cfg says the linter needs, as pip takes it."""
    config = configparser.ConfigParser()
    config.read(PROJECT / "setup.cfg", encoding="utf-8")
    lines = config["options"]["install_requires"].split("\n")
    found = ["setuptools>=77", *filter(None, lines)]
    return found if choice == "newest" else [found[0], *(line.replace(">=", "==", 1) for line in found[1:])]


def plain_environment() -> dict[str, str]:
    """Return the variables of this process but those that lead Python to other packages."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}


def pythons() -> dict[str, str]:
    """Return the interpreters that are on the path or were built by pyenv, by version."""
    built = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = {}
    for version in VERSIONS:
        candidates = [*sorted(built.glob(f"{version}.*/bin/python")), shutil.which(f"python{version}")]
        works = [str(each) for each in candidates if each is not None and is_version(str(each), version)]
        if works:
            found[version] = works[-1]
    return found


def is_version(python: str, version: str) -> bool:
    """Say whether an interpreter starts, and is of a version."""
    code = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    except OSError:
        return False
    return done.stdout.strip() == version


def row(environment: Environment, version: str, tests: Sequence[str]) -> tuple[str, ...]:
    """Make an environment and run the tests in it."""
    environment.make()
    have = environment.versions()
    code, said = environment.test(tests)
    lines = said.strip().splitlines()
    if code:
        print(f"Python {version}, {environment.choice}:", *lines[-SHOWN:], sep="\n  ", file=sys.stderr)
    names = (have.get(name, "-") for name in ("flake8", "libcst", "msgspec", "rich"))
    return version, environment.choice, *names, lines[-1].strip("= ") if lines else "nothing"


def main(arguments: Sequence[str]) -> int:
    """Print a row for each environment, and which Pythons are not there; return 1 where a test fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matrix", description=__doc__)
    parser.add_argument("--environments", type=Path, required=True, help="where to make them, and keep them")
    parser.add_argument("--pythons", nargs="+", choices=VERSIONS, default=list(VERSIONS), help="which ones")
    parser.add_argument("--choices", nargs="+", choices=CHOICES, default=list(CHOICES), help="which versions")
    parser.add_argument("--tests", nargs="+", default=list(TESTS), help="what to run")
    asked = parser.parse_args(arguments)
    there = {version: path for version, path in pythons().items() if version in asked.pythons}
    rows = []
    for version, path in there.items():
        for choice in asked.choices:
            folder = asked.environments.resolve() / f"{version}-{choice}"
            rows.append(row(Environment(path, choice, folder), version, asked.tests))
            print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    print(format_table(HEAD, rows))
    print("not on this machine:", ", ".join(each for each in asked.pythons if each not in there) or "none")
    return int(
        any(" failed" in each[-1] or " error" in each[-1] or "passed" not in each[-1] for each in rows)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

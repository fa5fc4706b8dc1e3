"""Keep the packed records equal to the TOML files: `python -m tests.records --check` or `--write`."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from flake8_ckpt.frameworks.packed import PACKED
from flake8_ckpt.frameworks.records import OUR_TABLES
from flake8_ckpt.frameworks.records import Records
from flake8_ckpt.frameworks.user_file import RefusedFile
from flake8_ckpt.frameworks.user_file import read_records

DATA = PACKED.parent / "data"


def records_of(folder: Path) -> Records:
    """Return what all TOML files of a folder say, checked as a user's file is."""
    return read_records(sorted(folder.glob("*.toml")), OUR_TABLES)


def main(arguments: list[str]) -> int:
    """Write the packed records, or say whether they are what the TOML files say; return an exit code."""
    if arguments not in (["--check"], ["--write"]):
        print("usage: python -m tests.records --check | --write")
        return 2
    try:
        records = records_of(DATA)
    except RefusedFile as error:
        print(error)
        return 2
    wanted = msgspec.json.format(msgspec.json.encode(records), indent=1) + b"\n"
    if arguments == ["--write"]:
        PACKED.write_bytes(wanted)
    elif PACKED.read_bytes() != wanted:
        print(f"{PACKED.name}: not what the TOML files say now: run python -m tests.records --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A cache that somebody else made counts for nothing, and nothing outside of a cache is touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from flake8_ckpt import engine
from flake8_ckpt.index import folder
from flake8_ckpt.index.folder import FOLDER
from flake8_ckpt.index.folder import TAG
from flake8_ckpt.index.signature import KEY_VARIABLE
from flake8_ckpt.options import Options
from tests.front_end import NORMALIZER
from tests.front_end import run
from tests.front_end import write

CHECK = ("-m", "flake8_ckpt", "check", ".")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with one finding."""
    return write(tmp_path / "root", {"a.py": NORMALIZER, "setup.cfg": ""})


def as_user(name: str, root: Path) -> list[str]:
    """Check a project as a user with this name for a key."""
    return run(root, *CHECK, env={KEY_VARIABLE: name}).codes


def found(root: Path) -> bool:
    """Say whether the project had to be linked."""
    return engine.analyze(root, Options()).index is not None


def forge(root: Path, name: str) -> None:
    """Leave the cache of a user in which the project is clean."""
    write(root, {"a.py": "x = 1\n"})
    as_user(name, root)
    write(root, {"a.py": NORMALIZER})
    cache = root / FOLDER
    (clean,) = cache.glob("verdict-*")
    data = clean.read_bytes()
    as_user(name, root)
    clean.write_bytes(data)


def test_cache_that_comes_with_a_clone_hides_nothing(root: Path) -> None:
    forge(root, "stranger")
    before = {path.name: path.read_bytes() for path in (root / FOLDER).glob("*.bin")}
    assert as_user("me", root) == ["a.py CKP101"]
    after = {path.name: path.read_bytes() for path in (root / FOLDER).glob("*.bin")}
    assert before.keys() <= after.keys() and before != after


def test_file_of_a_cache_under_another_name_counts_for_nothing(root: Path) -> None:
    assert found(root)
    (facts,) = (root / FOLDER).glob("facts-*")
    (verdict,) = (root / FOLDER).glob("verdict-*")
    shutil.copy(facts, verdict)
    assert found(root)
    assert not found(root)


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:40], lambda data: data + b"x"])
def test_damaged_verdict_counts_for_nothing(root: Path, damage: object) -> None:
    assert callable(damage)
    assert found(root)
    (verdict,) = (root / FOLDER).glob("verdict-*")
    verdict.write_bytes(damage(verdict.read_bytes()))
    assert found(root)


@pytest.mark.parametrize("place", [0, 40, 70, -3])
def test_flipped_bit_counts_for_nothing(root: Path, place: int) -> None:
    found(root)
    for path in (root / FOLDER).glob("*.bin"):
        data = bytearray(path.read_bytes())
        data[place] ^= 4
        path.write_bytes(data)
    assert codes(root) == ["a.py CKP101"]
    assert not found(root)


def test_facts_of_another_version_count_for_nothing(root: Path) -> None:
    """Signed by the same user, and of another form."""
    found(root)
    (facts,) = (root / FOLDER).glob("facts-*")
    (verdict,) = (root / FOLDER).glob("verdict-*")
    for path in (facts, verdict):
        folder.Folder(root / FOLDER).write(path.name, Newer(9, ["facts"]))
    assert codes(root) == ["a.py CKP101"]
    assert not found(root)


def test_file_above_the_largest_size_is_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found(root)
    monkeypatch.setattr(folder, "MOST_BYTES", 100)
    assert found(root)


def codes(root: Path) -> list[str]:
    """Return what is found, from the cache or not."""
    analysis = engine.analyze(root, Options())
    return [f"{each.path} {each.code}" for path in analysis.candidates for each in analysis.candidates[path]]


class Newer(Struct, frozen=True, array_like=True):
    """What a later version may keep."""

    version: int
    names: list[str]


def test_linked_cache_folder_is_not_used_and_keeps_its_files(root: Path, tmp_path: Path) -> None:
    canaries = {
        "index.bin": "mine",
        "facts-py311-0.bin": "mine",
        "verdict-0.bin.1-1.tmp": "mine",
        "CACHEDIR.TAG": TAG,
    }
    elsewhere = write(tmp_path / "elsewhere", canaries)
    for path in elsewhere.iterdir():
        os.utime(path, (0, 0))
    (root / FOLDER).symlink_to(elsewhere)
    assert found(root) and found(root)
    assert {path.name: path.read_text() for path in elsewhere.iterdir()} == canaries


def test_folder_without_our_tag_is_left_alone(root: Path) -> None:
    canaries = {"index.bin": "mine", "facts-py311-0.bin": "mine", "notes.txt": "mine"}
    write(root / FOLDER, canaries)
    assert found(root) and found(root)
    assert {path.name: path.read_text() for path in (root / FOLDER).iterdir()} == canaries


@pytest.mark.parametrize("left", [{}, {".gitignore": "*\n"}, {"CACHEDIR.TAG.7-7.tmp": "Sig"}])
def test_folder_that_a_killed_run_began_is_finished(root: Path, left: dict[str, str]) -> None:
    (root / FOLDER).mkdir()
    write(root / FOLDER, left)
    found(root)
    assert not found(root)


def test_only_files_of_our_own_names_are_removed(root: Path) -> None:
    found(root)
    theirs = {
        "facts-py311-0.bin.bak": "mine",
        "verdict-.bin": "mine",
        "verdict-x/y.bin": "mine",
        "facts-.bin": "mine",
    }
    write(root / FOLDER, theirs)
    for number in range(6):
        engine.analyze(root, Options(module_bases=(f"lib.b{number}",)))
    assert all((root / FOLDER / name).read_text() == text for name, text in theirs.items())


def test_linked_cache_file_is_neither_read_nor_followed(root: Path, tmp_path: Path) -> None:
    found(root)
    (verdict,) = (root / FOLDER).glob("verdict-*")
    target = tmp_path / "target"
    target.write_bytes(verdict.read_bytes())
    before = target.read_bytes()
    verdict.unlink()
    verdict.symlink_to(target)
    assert found(root)
    assert (verdict.is_symlink(), target.read_bytes()) == (False, before)


def test_pipe_in_the_place_of_a_cache_file_does_not_hang(root: Path) -> None:
    found(root)
    (verdict,) = (root / FOLDER).glob("verdict-*")
    verdict.unlink()
    os.mkfifo(verdict)
    assert found(root)


def test_huge_file_without_a_signature_is_not_read(root: Path) -> None:
    """A file with holes says that it has a terabyte; reading it would be the end."""
    found(root)
    (verdict,) = (root / FOLDER).glob("verdict-*")
    os.truncate(verdict, 0)
    os.truncate(verdict, 1 << 40)
    assert found(root)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a user who has no key yet."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "flake8-ckpt"


def test_key_is_made_once_and_only_for_its_user(home: Path) -> None:
    key = folder.user_key.__wrapped__()
    assert key == folder.user_key.__wrapped__() == (home / "key").read_bytes()
    assert ((home / "key").stat().st_mode & 0o777, len(key or b"")) == (0o600, 32)


def test_broken_key_is_made_again(home: Path) -> None:
    write(home, {"key": "short"})
    key = folder.user_key.__wrapped__()
    assert key == (home / "key").read_bytes() and len(key or b"") == 32


def test_user_without_a_folder_has_no_cache(root: Path, tmp_path: Path) -> None:
    write(tmp_path, {"file": ""})
    env = {"XDG_CACHE_HOME": str(tmp_path / "file"), KEY_VARIABLE: ""}
    done = run(root, *CHECK, env=env)
    assert (done.codes, (root / FOLDER).exists()) == (["a.py CKP101"], False)
    assert "Traceback" not in done.err


STRANGER = 65534


def as_another_user(root: Path, home: Path) -> tuple[str, str]:
    """Ask twice in a fork that is another user; return what is found, and whether the second time was linked."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgid(STRANGER)
            os.setuid(STRANGER)
            os.environ["XDG_CACHE_HOME"] = str(home)
            os.environ.pop(KEY_VARIABLE, None)
            folder.user_key.cache_clear()
            said = [*codes(root), "linked" if found(root) else "known"]
            os.write(writing, " ".join(said).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as answers:
        text = answers.read()
    os.waitpid(child, 0)
    return text.rsplit(" ", 1)[0], text.rpartition(" ")[2]


@pytest.fixture
def shared() -> Iterator[Path]:
    """Return a project in a folder that every user can read; that of a test is for one user alone."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        yield write(Path(place) / "root", {"a.py": NORMALIZER, "setup.cfg": ""})


def test_cache_of_another_user_is_neither_taken_nor_changed(shared: Path) -> None:
    found(shared)
    before = {path.name: path.read_bytes() for path in (shared / FOLDER).iterdir()}
    home = shared.parent / "home"
    home.mkdir()
    home.chmod(0o777)
    assert as_another_user(shared, home) == ("a.py CKP101", "linked")
    assert {path.name: path.read_bytes() for path in (shared / FOLDER).iterdir()} == before
    assert not found(shared)


def test_folder_that_two_users_write_serves_both(shared: Path) -> None:
    found(shared)
    home = shared.parent / "home"
    for path in (home, shared, shared / FOLDER):
        path.mkdir(exist_ok=True)
        path.chmod(0o777)
    assert as_another_user(shared, home) == ("a.py CKP101", "known")
    assert codes(shared) == ["a.py CKP101"]
    assert not found(shared)

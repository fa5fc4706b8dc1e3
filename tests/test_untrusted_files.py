"""Nothing that comes with a cloned project has us write or read elsewhere, run a program, hang, or fill the memory."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from flake8_ckpt.engine import analyze
from flake8_ckpt.index import folder
from flake8_ckpt.index.folder import FOLDER
from flake8_ckpt.index.signature import KEY_VARIABLE
from flake8_ckpt.options import Options
from flake8_ckpt.plain_file import MAX_BYTES
from flake8_ckpt.plain_file import read_plain
from tests.front_end import NORMALIZER
from tests.front_end import Run
from tests.front_end import here
from tests.front_end import run
from tests.front_end import write

TERABYTE = 1 << 40
# A limit that ends a run that takes what it is given, before the machine suffers.
BOUNDED = """\
import resource
import sys

from flake8_ckpt.cli import main

resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a cloned project with one finding."""
    return write(tmp_path / "clone", {"a.py": NORMALIZER, "setup.cfg": ""})


def check(root: Path) -> Run:
    return here(root, "check", "--no-summary", ".")


def bounded(root: Path) -> Run:
    """Check in a process that may take two gigabytes."""
    return run(root, "-c", BOUNDED, "check", "--no-summary", ".")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    done = subprocess.run(("git", *identity, *arguments), cwd=folder, capture_output=True, check=True)
    return done.stdout.decode().strip()


def test_linked_folder_for_the_cache_is_refused(root: Path, tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere", {"mine": ""})
    (root / "link").symlink_to(elsewhere)
    write(root, {"setup.cfg": "[flake8]\nckpt-cache-dir = link/deeper\n"})
    done = check(root)
    assert (done.code, "setup.cfg:2: ckpt-cache-dir:" in done.err, "is outside of" in done.err) == (
        2,
        True,
        True,
    )
    assert os.listdir(elsewhere) == ["mine"]


@pytest.mark.parametrize(
    "files",
    [
        {"setup.cfg": "[flake8]\nckpt-root = ..\n"},
        {"setup.cfg": "[flake8]\nckpt-root = ~\n"},
        {"setup.cfg": "[flake8]\nckpt-root = link\n"},
        {"setup.cfg": "", "pyproject.toml": '[tool.flake8-ckpt]\nroot = "../elsewhere"\n'},
    ],
)
def test_root_that_a_configuration_sets_elsewhere_is_refused(
    root: Path, tmp_path: Path, files: Mapping[str, str]
) -> None:
    write(tmp_path, {"elsewhere/b.py": NORMALIZER})
    (root / "link").symlink_to(tmp_path / "elsewhere")
    done = check(write(root, files))
    assert (done.code, "is outside of" in done.err, "give it on the command line" in done.err) == (
        2,
        True,
        True,
    )
    assert not list(tmp_path.glob(f"**/{FOLDER}"))


def test_root_that_a_package_sets_to_its_repository_is_taken(tmp_path: Path) -> None:
    package = write(tmp_path / "all" / "one", {"a.py": NORMALIZER, "setup.cfg": "[flake8]\nckpt-root = ..\n"})
    git(tmp_path / "all", "init", "-q")
    assert check(package).codes == ["a.py CKP101"]
    assert (tmp_path / "all" / FOLDER).is_dir()


def test_object_that_a_repository_lacks_is_not_fetched(root: Path, tmp_path: Path) -> None:
    """How to fetch it is a program, which the configuration of the repository names."""
    git(root, "init", "-q")
    git(root, "add", "."), git(root, "commit", "-qm", "x")
    settings = {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": str(root),
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": f"touch {tmp_path}/canary; git-upload-pack",
    }
    for name, value in settings.items():
        git(root, "config", name, value)
    tree = git(root, "rev-parse", "HEAD^{tree}")
    (root / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    done = here(root, "check", "--diff-base", "HEAD", ".")
    assert (done.code, "'HEAD' is no revision" in done.err) == (2, True)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", ["huge.py", "pyproject.toml", "frameworks.toml"])
def test_file_of_a_terabyte_is_not_read(root: Path, name: str) -> None:
    write(root, {"setup.cfg": "[flake8]\nckpt-frameworks = frameworks.toml\n", "frameworks.toml": ""})
    write(root, {name: ""})
    os.truncate(root / name, TERABYTE)
    done = bounded(root)
    assert "Traceback" not in done.err and "internal error" not in done.err
    if name == "frameworks.toml":
        assert "frameworks.toml: cannot be read: Larger than 32 MB" in done.err
    else:
        assert "a.py CKP101" in done.codes
    assert ("huge.py:1:1: CKP001 file cannot be read (Larger than 32 MB)" in done.out) == (name == "huge.py")


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/stdin"])
def test_device_in_the_place_of_settings_is_not_read(root: Path, target: str) -> None:
    (root / "pyproject.toml").symlink_to(target)
    (root / "zero.py").symlink_to(target)
    done = bounded(root)
    assert ("a.py CKP101" in done.codes, "internal error" in done.err) == (True, False)


def test_file_that_the_kernel_makes_up_is_read_to_a_limit() -> None:
    """It says that it is empty."""
    assert read_plain("/proc/self/status").startswith(b"Name:")
    assert os.stat("/proc/self/status").st_size == 0


def test_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    for size in (MAX_BYTES, MAX_BYTES + 1):
        path = tmp_path / f"{size}.py"
        path.write_bytes(b"")
        os.truncate(path, size)
    assert len(read_plain(tmp_path / f"{MAX_BYTES}.py")) == MAX_BYTES
    with pytest.raises(OSError, match="Larger than 32 MB"):
        read_plain(path)


def test_key_in_a_folder_named_after_no_home_is_not_taken(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody knows a home folder, `~` is a name like any other."""
    write(root, {"~/.cache/flake8-ckpt/key": "k" * 32})
    for name in (KEY_VARIABLE, "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    monkeypatch.chdir(root)
    assert folder.user_key.__wrapped__() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "~/.cache")
    assert folder.user_key.__wrapped__() is None


def test_planted_files_of_the_future_do_not_take_the_place_of_ours(root: Path) -> None:
    analyze(root, Options())
    cache = root / FOLDER
    (pack,) = cache.glob("facts-*")
    planted = [f"{pack.name.rpartition('-')[0]}-{number}.bin" for number in range(3)]
    planted += [f"verdict-{number}.bin" for number in range(9)]
    write(cache, dict.fromkeys(planted, ""))
    for name in planted:
        os.utime(cache / name, (1 << 33, 1 << 33))
    write(root, {"b.py": NORMALIZER})
    assert analyze(root, Options()).index is not None
    assert analyze(root, Options()).index is None
    assert pack.exists()


PLAIN = ("text", "concise", "json", "sarif", "github", "gitlab", "rdjson", "junit", "html")
SETTINGS = ("setup.cfg", "tox.ini", ".flake8")


@pytest.mark.parametrize("name", SETTINGS)
def test_device_in_the_place_of_flake8_settings_is_refused(root: Path, name: str) -> None:
    """flake8 itself would read it for ever."""
    (root / name).unlink(missing_ok=True)
    (root / name).symlink_to("/dev/null")
    done = check(root)
    assert (done.code, done.err) == (
        2,
        f"flake8-ckpt: error: {name}: cannot be read: Not a regular file\n",
    )


def test_endless_settings_do_not_fill_the_memory(root: Path) -> None:
    (root / "tox.ini").symlink_to("/dev/zero")
    assert bounded(root).err.startswith("flake8-ckpt: error: tox.ini: cannot be read")


@pytest.mark.parametrize(
    "line",
    [
        "ckpt-frameworks = ../secret.txt",
        "ckpt-frameworks = link",
        "ckpt-baseline = ../secret.txt",
        "ckpt-baseline = link",
        "ckpt-cache-dir = ../elsewhere",
        "ckpt-cache-dir = ~",
    ],
)
def test_file_that_a_configuration_names_elsewhere_is_refused(root: Path, tmp_path: Path, line: str) -> None:
    write(tmp_path, {"secret.txt": "canary"})
    (root / "link").symlink_to(tmp_path / "secret.txt")
    done = check(write(root, {"setup.cfg": f"[flake8]\n{line}\n"}))
    assert (done.code, done.out, "canary" in done.err) == (2, "", False)
    assert done.err.startswith("flake8-ckpt: error: setup.cfg:2: ckpt-")
    assert done.err.endswith("give it on the command line\n")
    assert not list(tmp_path.glob(f"**/{FOLDER}"))


def test_file_elsewhere_that_the_command_line_names_is_taken(root: Path, tmp_path: Path) -> None:
    write(tmp_path, {"records.toml": "", "known.json": '{"version": 1, "findings": []}'})
    names = ("--ckpt-frameworks=../records.toml", "--ckpt-baseline=../known.json")
    assert here(root, "check", "--no-summary", *names, ".").codes == ["a.py CKP101"]


def test_text_of_a_linked_file_is_not_shown(root: Path, tmp_path: Path) -> None:
    """A build may put links in the place of sources, so they are read; what is no Python is not quoted."""
    write(tmp_path, {"secret.txt": "canary = swordfish: 1\n"})
    (root / "link.py").symlink_to(tmp_path / "secret.txt")
    for name in PLAIN:
        done = here(root, "check", f"--output-format={name}", ".")
        assert ("link.py" in done.out, "swordfish" in done.out + done.err) == (True, False), name


def test_devices_pipes_and_sockets_are_said_and_not_opened(root: Path) -> None:
    os.mkfifo(root / "pipe.py")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(root / "socket.py"))
        (root / "device.py").symlink_to("/dev/full")
        done = check(root)
    assert done.codes == [
        "a.py CKP101",
        "device.py CKP001",
        "pipe.py CKP001",
        "socket.py CKP001",
    ]


def test_modules_and_plugins_of_a_project_are_not_run(root: Path) -> None:
    canary = "open('canary', 'w')\n"
    names = ("msgspec", "flake8", "rich", "tomllib", "evil", "setup", "conftest", "sitecustomize")
    write(root, {f"{name}.py": canary for name in names})
    plugins = "[flake8:local-plugins]\nextension =\n    XYZ = evil:E\npaths = .\n"
    write(root, {"setup.cfg": f"[flake8]\nmax-line-length = 100\n{plugins}"})
    done = run(root, "-m", "flake8_ckpt", "check", "--no-summary", "--output-format=text", "a.py")
    assert (done.code, "CKP101" in done.out, (root / "canary").exists()) == (1, True, False)


def test_settings_nested_without_end_are_one_line(root: Path) -> None:
    deep = "[" * 50_000 + "]" * 50_000
    write(root, {"pyproject.toml": f"[tool.flake8-ckpt]\nexclude = {deep}\n"})
    found = check(root)
    assert (found.code, found.err.count("\n"), len(found.err) < 300) == (2, 1, True)
    write(root, {"pyproject.toml": "", ".flake8_ckpt_baseline.json": f'{{"version": 1, "findings": {deep}}}'})
    found = check(root)
    assert (found.code, found.err.count("\n"), len(found.err) < 400) == (2, 1, True)


def test_names_that_read_as_commands_of_a_report_are_no_commands(root: Path) -> None:
    names = (
        "[bold]x[;].py",
        "%0A::error::x.py",
        "<script>x.py",
        "new\nline.py",
        "\x1b[31mred.py",
        "a b,c;d&e.py",
    )
    write(root, dict.fromkeys(names, NORMALIZER))
    for name in PLAIN:
        done = here(root, "check", f"--output-format={name}", ".")
        assert done.code == 1 and "internal error" not in done.out + done.err, name
        is_as_flake8 = name == "concise"
        assert ("\x1b" in done.out) == is_as_flake8, name
        assert "<script>x" not in done.out or name not in ("html", "junit"), name
        if name == "github":
            lines = done.out.splitlines()
            assert all(line.startswith(("::warning file=", "::error file=")) for line in lines)

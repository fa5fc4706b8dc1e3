"""Files of records: what is right is kept, what is wrong is refused in one line that says where."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import msgspec
import pytest

from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.frameworks.packed import PACKED
from flake8_ckpt.frameworks.records import OUR_TABLES
from flake8_ckpt.frameworks.records import TABLES
from flake8_ckpt.frameworks.records import Record
from flake8_ckpt.frameworks.records import Records
from flake8_ckpt.frameworks.records import SaveCall
from flake8_ckpt.frameworks.records import StatefulClass
from flake8_ckpt.frameworks.user_file import RefusedFile
from flake8_ckpt.frameworks.user_file import read_records
from flake8_ckpt.frameworks.vocabulary import names
from tests.records import DATA
from tests.records import records_of

SAVER = '[[save]]\nnames = ["acme.write"]\npayload = "state"\npayload_at = 0\n'
REFUSED = {
    "a save of nothing": (
        '[[save]]\nnames = ["acme.write"]\nfile_at = 0\n',
        "acme.toml:1: [[save]] payload_at: missing: the argument that is written, counted from 0",
    ),
    "not TOML": (SAVER + "file = path\n", "acme.toml:5: not TOML: Invalid value"),
    "not TOML at the end": ("[[save", "acme.toml:1: not TOML: Expected ']]'"),
    "unknown table": ("[[saves]]\nnames = []\n", "acme.toml:1: unknown table 'saves': did you mean 'save'?"),
    "unknown table, nothing near": (
        "\n[x]\ny = 1\n",
        "acme.toml:2: unknown table 'x': known are save, load, ",
    ),
    "unknown table, in line": ("\nsaves = []\n", "acme.toml:2: unknown table 'saves'"),
    "a table of ours alone": (
        '[[vocabulary]]\nlibrary = "acme"\nof = "method"\nsays = "saves"\nnames = ["put"]\n',
        "acme.toml:1: unknown table 'vocabulary': known are save, load, ",
    ),
    "one table, not a list": (
        '[save]\nnames = ["a.b"]\n',
        "acme.toml:1: 'save' is a list of tables: write [[save]]",
    ),
    "unknown key": (
        SAVER + '\n[[save]]\nnames = ["acme.put"]\npaylod = "x"\n',
        "acme.toml:8: [[save]] unknown key 'paylod': did you mean 'payload'?",
    ),
    "unknown key, nothing near": (
        SAVER + "zzz = 1\n",
        "acme.toml:5: [[save]] unknown key 'zzz': known are kind, ",
    ),
    "unknown key, in line": (
        'save = [{names = ["a.b"], fil = "x"}]\n',
        "acme.toml:1: [[save]] unknown key 'fil'",
    ),
    "wrong type": (
        SAVER.replace("_at = 0", '_at = "0"'),
        "acme.toml:4: [[save]] payload_at: expected 'int | null', got 'str'",
    ),
    "wrong type, inside": (
        "[[save]]\nnames = [3]\n",
        "acme.toml:2: [[save]] names: expected 'str', got 'int'",
    ),
    "unknown value": (
        '[[stateful]]\nnames = ["acme.Adam"]\nrole = "optimiser"\n',
        "acme.toml:3: [[stateful]] role: unknown value 'optimiser': did you mean 'optimizer'?",
    ),
    "missing key": (
        '[[stateful]]\nnames = ["a.B"]\n',
        "acme.toml:1: [[stateful]] missing required field 'role'",
    ),
    "no name": ("[[save]]\nnames = []\n", "acme.toml:1: [[save]] names: is empty"),
    "a name that is none": (
        '[[save]]\nnames = ["acme.*"]\n',
        "acme.toml:1: [[save]] names: 'acme.*' is no dotted name",
    ),
    "duplicate name": (
        SAVER + "\n" + SAVER,
        "acme.toml:6: [[save]] names: 'acme.write' is there already (",
    ),
    "broken pattern": (
        '[[hint]]\nof = "class"\nsays = "normalizer"\npattern = "("\n',
        "acme.toml:1: [[hint]] pattern: missing ), unterminated subpattern",
    ),
    "a hint that nobody asks for": (
        '[[hint]]\nof = "key"\nsays = "ema"\npattern = "x"\n',
        "acme.toml:1: [[hint]] says: a name of this kind may hint normalizer, counter, training state, best metric,"
        " not 'ema'",
    ),
    "a hint without a pattern": (
        '[[hint]]\nof = "class"\nsays = "normalizer"\n',
        "acme.toml:1: [[hint]] missing required field 'pattern'",
    ),
}


def written(folder: Path, text: str) -> Path:
    path = folder / "acme.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_packed_records_are_those_of_the_toml_files() -> None:
    assert PACKED.read_bytes() == msgspec.json.format(msgspec.json.encode(records_of(DATA)), indent=1) + b"\n"


def test_a_file_gives_its_records(tmp_path: Path) -> None:
    found = read_records([written(tmp_path, SAVER)])
    assert found == Records(save=(SaveCall(names=("acme.write",), payload="state", payload_at=0),))


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeff" + SAVER.replace("\n", "\r\n"))
    assert read_records([path]).save[0].names == ("acme.write",)


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert read_records([written(tmp_path, "# nothing yet\n")]) == Records()


@pytest.mark.parametrize(
    ("text", "message"), REFUSED.values(), ids=[key.replace(" ", "-") for key in REFUSED]
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(RefusedFile) as refused:
        read_records([path])
    said = str(refused.value)
    assert said.startswith(f"{tmp_path}/{message}")
    assert "\n" not in said


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_bytes(b"# one\n# \xff\n")
    with pytest.raises(RefusedFile, match=r"acme.toml:2: not UTF-8"):
        read_records([path])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedFile, match=r"acme.toml: cannot be read: No such file or directory"):
        read_records([tmp_path / "acme.toml"])


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedFile, match="cannot be read: not a file"):
        read_records([tmp_path])


def test_a_name_in_two_files_is_refused(tmp_path: Path) -> None:
    first = written(tmp_path, SAVER)
    second = tmp_path / "other.toml"
    second.write_text(SAVER, encoding="utf-8")
    with pytest.raises(RefusedFile, match=r"other.toml:1: \[\[save\]\] names: .* already \(.*acme.toml:1\)"):
        read_records([first, second])


def test_own_records_count_instead_of_those_of_the_package() -> None:
    own = StatefulClass(names=("torch.optim.SGD",), role="stateless")
    known = Frameworks(Records(stateful=(own,)))
    speaking = [each for each in known.records.stateful if "torch.optim.SGD" in each.names]
    assert speaking == [own]
    beside = [each for each in known.records.stateful if "torch.optim.Adam" in each.names]
    assert [each.role for each in beside] == ["optimizer"]


def test_own_records_change_the_key_of_the_caches() -> None:
    one = Frameworks(Records(save=(SaveCall(names=("acme.write",)),)))
    other = Frameworks(Records(save=(SaveCall(names=("acme.put",)),)))
    assert DEFAULT.key == Frameworks(Records()).key
    assert len({DEFAULT.key, one.key, other.key}) == 3


def test_what_is_known_travels_to_another_process() -> None:
    known = Frameworks(Records(save=(SaveCall(names=("acme.write",)),)))
    assert len(known.records.save) > 100
    sent = pickle.dumps(known)
    assert len(sent) < 1000
    assert pickle.loads(sent) == known


def test_own_records_leave_the_vocabulary() -> None:
    known = Frameworks(Records(save=(SaveCall(names=("acme.write",)),)))
    assert known.records.vocabulary == DEFAULT.records.vocabulary


def test_words_are_listed_or_matched() -> None:
    assert all(bool(each.names) != bool(each.pattern) for each in DEFAULT.records.vocabulary)
    assert all(re.compile(each.pattern) for each in DEFAULT.records.vocabulary)


def test_words_of_one_meaning_have_one_record() -> None:
    meanings = [(each.library, each.of, each.says) for each in DEFAULT.records.vocabulary]
    assert len(meanings) == len(set(meanings))


def test_words_without_record_are_refused() -> None:
    with pytest.raises(KeyError):
        names("torch", "method", "no such meaning")


@pytest.mark.parametrize("table", OUR_TABLES)
def test_each_table_has_records(table: str) -> None:
    assert len(getattr(DEFAULT.records, table)) > 0


@pytest.mark.parametrize("table", TABLES)
def test_each_name_has_one_record(table: str) -> None:
    records = [each for each in getattr(DEFAULT.records, table) if isinstance(each, Record)]
    names = [name for each in records for name in each.names]
    assert len(names) == len(set(names))

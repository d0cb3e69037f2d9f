"""Folders and distributions to Parquet: layouts, dedup, decontamination, resuming, reports."""

import hashlib
import io
import json
import tarfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cert_lsp.contract.prompt import split_cursor
from cert_lsp.contract.sketch import sketch
from cert_lsp.errors import CorpusError
from evals.pairs import read_pairs
from evals.suite import load_suites
from trainer.__main__ import main
from trainer.corpus import decontaminate
from trainer.corpus.build import records
from trainer.corpus.dedup import SAME_CODE, Seen
from trainer.corpus.fetch import Package, choose, fetch, read_packages, sha256
from trainer.corpus.heldout import write_pairs
from trainer.corpus.readers import Source, licence, read

GUIDE = """
import pandas as pd
df = pd.DataFrame({"city": ["a", "b"], "price": [1, 2]})

# mean price per city
df.groupby("city")["price"].mean()

# sort the rows by price
df = df.sort_values("price")

# drop rows without a price
df = df.dropna(subset=["price"])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good file and several bad ones."""
    code = tmp_path / "team"
    code.mkdir()
    (code / "guide.py").write_text(GUIDE, encoding="utf-8")
    (code / "again.py").write_text(GUIDE, encoding="utf-8")
    (code / "latin.py").write_bytes(b"# caf\xe9 pandas\n")
    (code / "binary.py").write_bytes(b"\0\0")
    (code / "damaged.ipynb").write_text("pandas {", encoding="utf-8")
    return code


def rows(path: Path) -> list[dict[str, str]]:
    return pq.read_table(path).to_pylist()


def test_every_record_is_what_the_contract_says(folder: Path):
    made = list(records(Source("team", folder), Counter(), Counter()))
    assert made
    for record in made:
        text = record["head"] + record["code"]
        compile(text, "record", "exec")
        line = record["head"].rpartition("\n")[2]
        assert record["sketch"] == sketch(record["code"], before=line).wire
        assert split_cursor(record["head"])[1] == "" or record["code"].startswith((" ", "\n", "(", "[", "."))
        assert "mean price" not in record["code"]


def test_layouts_do_not_change_from_run_to_run(folder: Path):
    source = Source("team", folder)
    first, second = (list(records(source, Counter(), Counter())) for _ in range(2))
    assert first == second


def test_command_writes_splits_and_reports(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "corpus"
    assert main(["corpus", "--out", str(out), "--folder", str(folder), "--workers", "1", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    train = rows(out / "train.parquet")
    assert len(train) == printed["splits"]["train"] > 0
    assert rows(out / "heldout.parquet") == []
    assert (out / "pairs.jsonl").read_text(encoding="utf-8") == ""
    assert {row["source"] for row in train} == {"team"}
    assert printed["drops"]["duplicate"] > 0
    assert printed["drops"]["file: not UTF-8"] == printed["drops"]["file: binary"] == 1
    assert printed["drops"]["file: not a notebook"] == 1
    assert "random records" in (out / "report.md").read_text(encoding="utf-8")
    shards = {path: path.stat().st_mtime_ns for path in (out / "shards").glob("*.parquet")}
    assert main(["corpus", "--out", str(out), "--folder", str(folder), "--workers", "1"]) == 0
    assert {path: path.stat().st_mtime_ns for path in (out / "shards").glob("*.parquet")} == shards
    assert rows(out / "train.parquet") == train


def test_held_out_pairs_are_each_code_of_a_file_once_where_words_ask_for_it(tmp_path: Path):
    common = {"source": "s", "license": "MIT", "split": "heldout", "sketch": "df.sum()"}
    told = [
        {"path": "s/a.py", "kind": "doctest", "head": "# sum\n", "code": "df.sum()"},
        {"path": "s/a.py", "kind": "doctest", "head": "# sum\nx =", "code": "df.sum()"},
        {"path": "s/b.py", "kind": "comment", "head": "# sum\n", "code": "df.sum()"},
        {"path": "s/b.py", "kind": "block", "head": "df = read()\n", "code": "df.mean()"},
    ]
    pq.write_table(pa.Table.from_pylist([{**common, **one} for one in told]), tmp_path / "heldout.parquet")
    write_pairs(tmp_path / "heldout.parquet", tmp_path / "pairs.jsonl")
    pairs = read_pairs(tmp_path / "pairs.jsonl")
    assert [(one.id.partition("#")[0], one.head) for one in pairs] == [("s/a.py", "# sum\n"), ("s/b.py", "# sum\n")]
    assert len({one.id for one in pairs}) == 2


def test_no_row_group_is_empty(folder: Path, tmp_path: Path):
    assert main(["corpus", "--folder", str(folder), "--out", str(tmp_path)]) == 0
    for split in ("train", "heldout"):
        metadata = pq.read_metadata(tmp_path / f"{split}.parquet")
        assert all(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))


def test_folder_without_code_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "data.csv").write_text("a,b\n", encoding="utf-8")
    assert main(["corpus", "--out", str(tmp_path / "out"), "--folder", str(empty), "--workers", "1"]) == 1
    assert "holds no Python file" in capsys.readouterr().err


def test_distribution_is_read_without_unpacking(tmp_path: Path):
    path = tmp_path / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {
            "demo-1.0/PKG-INFO": "Name: demo\nClassifier: License :: OSI Approved :: MIT License\n\nText",
            "demo-1.0/examples/guide.py": GUIDE,
            "demo-1.0/setup.py": GUIDE,
            "../outside.py": GUIDE,
        }.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    source = Source("demo", path, heldout=True)
    assert licence(source) == "MIT License"
    assert [document.path for document in read(source, Counter())] == ["demo-1.0/examples/guide.py", "../outside.py"]
    assert {record["split"] for record in records(source, Counter(), Counter())} == {"heldout"}
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_source_is_refused(tmp_path: Path):
    with pytest.raises(CorpusError, match="does not exist"):
        list(read(Source("x", tmp_path / "missing"), Counter()))
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(CorpusError, match="neither a folder nor an archive"):
        list(read(Source("x", tmp_path / "notes.txt"), Counter()))


def test_contaminated_records_are_dropped(folder: Path, monkeypatch: pytest.MonkeyPatch):
    text = "Select the rows whose price exceeds the city's own mean price"
    forbidden = frozenset(decontaminate.hashes(text))
    monkeypatch.setattr(decontaminate, "published", lambda: forbidden)
    assert decontaminate.is_contaminated([f"First, {text.lower()}!"])
    assert not decontaminate.is_contaminated(["rows whose price exceeds the city"])
    (folder / "leak.py").write_text(GUIDE.replace("mean price per city", text), encoding="utf-8")
    drops: Counter[str] = Counter()
    made = list(records(Source("team", folder), drops, Counter()))
    assert drops["contaminated"] == 1
    assert not any("own mean" in record["head"] for record in made)


def test_hashes_follow_the_rule():
    (short,) = decontaminate.hashes("Sort the rows, by price!")
    assert short == hashlib.blake2b(b"^sort the rows by price$", digest_size=8).hexdigest()
    assert list(decontaminate.hashes("too few words here")) == []
    assert len(list(decontaminate.hashes("one two three four five six seven eight nine"))) == 2
    assert len(decontaminate.published()) > 10_000


def test_dedup_by_lines():
    seen = Seen()
    assert seen.reason("sort rows\na = 1\nb = 2") == ""
    assert seen.reason("sort rows\na = 1\nb = 2") == "duplicate"
    assert seen.reason("order rows\na = 1\nb = 2") == "near-duplicate"
    assert seen.reason("order rows\na = 1") == ""
    for number in range(SAME_CODE):
        assert seen.reason(f"say it in way {number}\nc = 3") == ""
    assert seen.reason("say it once more\nc = 3") == "same code too often"


def test_package_list_keeps_the_promises():
    packages = {package.name: package for package in read_packages()}
    assert {name for name, package in packages.items() if package.heldout} == {
        "siuba",
        "lifelines",
        "pvlib",
        "pyjanitor",
    }
    kept_for_retraining = "holoviews hvplot panel datashader scanpy anndata evalml featuretools woodwork"
    assert packages.keys().isdisjoint(kept_for_retraining.split())
    assert choose(["pandas"]) == [packages["pandas"]]
    with pytest.raises(CorpusError, match="not among the pinned packages: no-such"):
        choose(["no-such"])


def test_a_file_that_differs_from_the_lock_is_refused(tmp_path: Path):
    path, lock = tmp_path / "demo-1.0.tar.gz", tmp_path / "lock"
    path.write_bytes(b"good")
    lock.write_text(f"demo==1.0 {path.name} {sha256(path)}\n", encoding="utf-8")
    package = Package("demo", "1.0")
    assert list(fetch([package], tmp_path, lock=lock)) == [(package, path)]
    path.write_bytes(b"evil")
    with pytest.raises(CorpusError, match="is not the file that lock names"):
        list(fetch([package], tmp_path, lock=lock))


def test_package_list_lines_are_checked(tmp_path: Path):
    path = tmp_path / "packages.txt"
    path.write_text("pandas>=1\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="line 1"):
        read_packages(path)


def test_own_suites_stay_out_of_the_training_text():
    assert decontaminate.is_contaminated(["Add a column late that is true where the delay is over 10 minutes"])
    assert not decontaminate.is_contaminated(["Add a column"])
    suites = load_suites(decontaminate.OWN_SUITES)
    assert all(
        decontaminate.is_contaminated([task.intent])
        for suite in suites
        for task in suite.tasks
        if len(task.intent.split()) > 7
    )


def test_an_answer_of_an_own_suite_is_known_however_it_is_written():
    answer = 'flights[flights["distance"] > 1000].sort_values("distance", ascending=False)'
    other = "x = flights[flights['distance'] > 1000].sort_values('distance',\n    ascending=False)"
    assert decontaminate.is_contaminated([], answer)
    assert decontaminate.is_contaminated([], other)
    assert decontaminate.is_contaminated([], f"    return {answer}")
    assert not decontaminate.is_contaminated([], answer.replace("1000", "900"))


def test_common_code_is_everybodys():
    assert decontaminate.alike("df.dropna()") == decontaminate.alike("x = ((") == ""
    assert decontaminate.alike("df.head(3)") == decontaminate.alike("y = df.head( 3 )") == "df.head(3)"

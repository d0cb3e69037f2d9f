"""Repositories to records and pairs: secrets dropped, nothing held out that was trained on, the same for any reader."""

import json
from collections import Counter
from pathlib import Path

import pytest

from cert_lsp.contract.neighbours import read_neighbours
from cert_lsp.errors import CorpusError
from cert_lsp.feedback import FeedbackLog
from tests.trainer.retrain.team import KEYS, WORDS, write_team
from trainer.retrain import corpus as corpus_module
from trainer.retrain.corpus import build
from trainer.retrain.feedback import kept
from trainer.retrain.neighbours import neighbours_of
from trainer.retrain.repository import Repository, Rules, look_over
from trainer.retrain.secrets import reasons
from trainer.retrain.split import split

pq = pytest.importorskip("pyarrow.parquet")


def look(folder: Path) -> Repository:
    return look_over(folder, Rules(), Counter())


def test_secrets_and_addresses_are_found_and_ordinary_code_is_not() -> None:
    texts = {
        "df = pd.read_csv('a.csv')\ndf.groupby('carrier_key')['delay'].mean()": "",
        "x = 1\naws = 'AKIA" + "IOSFODNN7EXAMPLA'\ny = 2": "secret: AWS Access Key",
        "password = 'hunter2" + "secret'": "secret: Secret Keyword",
        "key = client.login('AKIA" + "IOSFODNN7EXAMPLA')": "secret: AWS Access Key",
        "": "",
        "owner = 'bob.miller@corp.io'": "personal data: e-mail address",
        "owner = 'somebody@example.com'\ncolour = '#ff00aa'": "",
        "key = '" + "deadbeefcafebabe0123456789abcdef01234567'": "secret: Hex High Entropy String",
    }
    assert reasons(list(texts)) == list(texts.values())


def test_records_of_the_team_without_its_secrets(tmp_path: Path) -> None:
    team = write_team(tmp_path / "team", files=3)
    (team / "again.py").write_text((team / f"report_{KEYS[0]}_0.py").read_text())
    leak = 'import pandas as pd\ndf = pd.read_csv("x.csv")\n\n# mean price per owner\n'
    leak += 'df.assign(token="AKIA' + 'IOSFODNN7EXAMPLA").groupby("owner")["price"].mean()\n'
    (team / "leak.py").write_text(leak)
    out = tmp_path / "out"
    out.mkdir()
    build([look(team)], Counter({"file: vendored": 7}), out, out / "shards")
    report = json.loads((out / "report.json").read_text())
    assert report["drops"]["secret: AWS Access Key"] >= 1
    assert report["drops"]["duplicate"] >= len(WORDS)
    assert report["drops"]["file: vendored"] == 7
    text = (out / "records.parquet").read_bytes()
    records = pq.read_table(out / "records.parquet").to_pylist()
    assert len(records) == report["records"] >= 3 * len(WORDS)
    assert b"AKIA" not in text
    assert not any("AKIA" in record["head"] + record["code"] for record in records)


def test_two_readers_and_an_interrupted_one_write_the_same_bytes(tmp_path: Path) -> None:
    team = look(write_team(tmp_path / "team", files=6))
    outs = [tmp_path / name for name in ("one", "two", "again")]
    for out in outs:
        out.mkdir()
    build([team], Counter(), outs[0], outs[0] / "shards")
    build([team], Counter(), outs[1], outs[1] / "shards", processes=2)
    shards = outs[2] / "shards"
    shards.mkdir()
    notes = sorted((outs[0] / "shards").glob("*.json"))
    for note in notes[:2]:
        for path in (note, note.with_suffix(".parquet")):
            (shards / path.name).write_bytes(path.read_bytes())
    (shards / notes[2].with_suffix(".parquet").name).write_bytes(b"cut off before its note")
    build([team], Counter(), outs[2], shards)
    for name in ("records.parquet", "report.json", "neighbours.jsonl.gz"):
        assert len({(out / name).read_bytes() for out in outs}) == 1


def test_only_what_was_edited_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_team(tmp_path / "team", files=8)
    read: list[str] = []
    real = corpus_module.extract
    monkeypatch.setattr(corpus_module, "extract", lambda job: (read.extend(job.members), real(job)))
    for _ in range(2):
        build([look(folder)], Counter(), tmp_path, tmp_path / "shards")
    assert len(read) == 8
    edited = folder / f"report_{KEYS[3]}_3.py"
    old = edited.read_text()
    edited.write_text(old + "\n# sum of price per hotel\ndf.groupby('hotel')['price'].sum()\n")
    first = build([look(folder)], Counter(), tmp_path, tmp_path / "shards")
    assert edited.name in read[8:]
    assert len(read) < 12
    count = len(read)
    edited.write_text(old)
    again = build([look(folder)], Counter(), tmp_path, tmp_path / "shards")
    assert len(read) == count
    assert first["records"] > again["records"]


def test_code_that_does_nothing_teaches_nothing(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "a.py").write_text("# add one\nx = 1\n")
    with pytest.raises(CorpusError, match="nothing that says what code does"):
        build([look(tmp_path / "team")], Counter(), tmp_path, tmp_path / "shards")


def test_what_a_user_took_and_kept_is_learned_and_never_judged_by(tmp_path: Path) -> None:
    log = FeedbackLog(tmp_path / "state")
    offers = {
        "kept": "df.nlargest(3, 'margin')",
        "changed": "df.nlargest(4, 'margin')",
        "ignored": "df.nlargest(5, 'margin')",
        "secret": "df.assign(key='AKIA" + "IOSFODNN7EXAMPLA')",
    }
    for name, code in offers.items():
        log.write("shown", name, head="# the best three\nx = ", code=code, sketch="", score=-1, rank=0, model="m")
        if name != "ignored":
            log.write("accepted", name)
            log.write("kept", name, kept=name != "changed")
    report = build([look(write_team(tmp_path / "team"))], Counter(), tmp_path, tmp_path / "shards", log=log.file)
    assert report["kinds"]["feedback"] == 1
    assert report["drops"]["feedback: changed or deleted after it was taken"] == 1
    assert report["drops"]["secret: AWS Access Key"] == 1
    split(tmp_path, tmp_path, most=1000)
    [record] = [each for each in pq.read_table(tmp_path / "train.parquet").to_pylist() if each["kind"] == "feedback"]
    assert record["head"] + record["code"] == "# the best three\nx = df.nlargest(3, 'margin')"
    assert record["sketch"].startswith("df.nlargest(")
    assert "nlargest" not in (tmp_path / "pairs.jsonl").read_text()
    with pytest.raises(CorpusError, match="cannot be read"):
        kept(tmp_path / "none.jsonl", Counter())


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    out = tmp_path / "corpus"
    out.mkdir()
    build([look(write_team(tmp_path / "team", files=20))], Counter(), out, out / "shards")
    return out


def test_files_are_held_out_whole_and_nothing_in_them_was_trained_on(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "split"
    out.mkdir()
    report = split(corpus, out, most=15)
    train, heldout = (pq.read_table(out / f"{side}.parquet").to_pylist() for side in ("train", "heldout"))
    assert {record["path"] for record in train}.isdisjoint(record["path"] for record in heldout)
    pairs = [json.loads(line) for line in (out / "pairs.jsonl").read_text().splitlines()]
    assert len(pairs) == report["pairs"] == 15
    assert len({pair["id"] for pair in pairs}) == 15
    assert all("df.groupby" in pair["head"] + pair["code"] for pair in pairs)
    whole = {record["head"].rpartition("\n")[2] + record["code"] for record in train}
    assert whole.isdisjoint(record["head"].rpartition("\n")[2] + record["code"] for record in heldout)
    again = tmp_path / "again"
    again.mkdir()
    split(corpus, again, most=15)
    for name in ("pairs.jsonl", "neighbours.jsonl.gz"):
        assert (again / name).read_bytes() == (out / name).read_bytes()


def test_neighbours_are_whole_statements_and_of_what_is_trained_on_alone(corpus: Path, tmp_path: Path) -> None:
    split(corpus, tmp_path, most=15)
    all_of_them, to_train_on = (read_neighbours(folder / "neighbours.jsonl.gz") for folder in (corpus, tmp_path))
    records = pq.read_table(corpus / "records.parquet").to_pylist()
    assert len(all_of_them) == len({record["key"] for record in records if record["kind"] != "block"})
    assert all("df.groupby($string)[$string].mean()" in each.sketch and not each.body for each in all_of_them)
    heldout = {record["key"].partition("\n")[0] for record in pq.read_table(corpus / "records.parquet").to_pylist()}
    heldout -= {each.intent for each in to_train_on}
    assert heldout
    assert {each.intent for each in all_of_them} == heldout | {each.intent for each in to_train_on}
    assert set(to_train_on) < set(all_of_them)


def test_a_neighbour_begins_where_its_statement_does_and_has_no_literals() -> None:
    heads = {
        "# a mean\n": ("x = df['a'].mean()\n", "x = df[$string].mean()\n"),
        "# b mean\nx =": (" df['a'].mean()", " df[$string].mean()"),
        "# c mean\ndf['m'] =": (" df['a'].mean()", " df[$string].mean()"),
        "def f(df):\n    # d mean\n    return": (" df['a'].mean()", " df[$string].mean()"),
    }
    records = [
        {"head": head, "code": code, "sketch": wire, "kind": "comment", "key": f"{head}\nx"}
        for head, (code, wire) in heads.items()
    ]
    twice = [each for record in records for each in (record, record)]
    blocks = [{**records[0], "kind": kind, "key": kind} for kind in ("block", "feedback")]
    assert [each.sketch for each in neighbours_of([*blocks, *twice])] == [
        "x = df[$string].mean()",
        "x = df[$string].mean()",
        "df[$string] = df[$string].mean()",
        "return df[$string].mean()",
    ]


def test_a_near_duplicate_of_something_trained_on_is_not_judged_by(tmp_path: Path) -> None:
    """Of two versions of a file with other words for the same code, one is held out: it would measure memory."""
    team = write_team(tmp_path / "team", files=12)
    for path in sorted(team.iterdir()):
        text = path.read_text().replace("# compute the mean ", "# take the mean of ").replace(" per ", " for each ")
        (team / f"other_{path.name}").write_text(text)
    out = tmp_path / "out"
    out.mkdir()
    build([look(team)], Counter(), out, out / "shards")
    records = pq.read_table(out / "records.parquet").to_pylist()
    codes = [record["key"].split("\n")[1:] for record in records]
    assert len({tuple(code) for code in codes}) < len(codes)  # dedup alone lets them through
    report = split(out, out, most=1000)
    assert report["held out, but like something trained on"] > 0
    trained = {tuple(r["key"].split("\n")[1:]) for r in records if r["path"] in _paths(out / "train.parquet")}
    judged = {pair["id"].rpartition("#")[0].partition("/")[2] for pair in _pairs(out)}
    held = {
        tuple(record["key"].split("\n")[1:])
        for record in records
        if record["path"] in judged and f"{record['head']}{record['code']}" in _texts(out / "heldout.parquet")
    }
    assert held
    assert held.isdisjoint(trained)


def _paths(path: Path) -> set[str]:
    return {record["path"] for record in pq.read_table(path).to_pylist()}


def _texts(path: Path) -> set[str]:
    return {record["head"] + record["code"] for record in pq.read_table(path).to_pylist()}


def _pairs(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "pairs.jsonl").read_text().splitlines()]


def test_too_little_code_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    build([look(write_team(tmp_path / "team", files=1))], Counter(), out, out / "shards")
    with pytest.raises(CorpusError, match="could be held out"):
        split(out, out, most=50)

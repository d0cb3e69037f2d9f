"""The command line with a fake engine: addresses, output, exit codes, and messages for bad input."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cert_lsp.__main__ import main
from cert_lsp.cli.address import Address, parse_address, read_place
from cert_lsp.contract.neighbours import Neighbour, write_neighbours
from cert_lsp.errors import BundleError, ContextError
from tests.cert_lsp.fakes import FakeEngine
from tests.cert_lsp.raw_client import TEXT

PANDA = "import pandas as pd\ndf = pd.read_csv('a.csv')\n# total 🐼 of each column\n"


@pytest.fixture(autouse=True)
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Put a fake in place of the pipeline; `opened` collects the model folders asked for."""
    opened: list[Path | None] = []

    def open_engine(model: Path | None) -> FakeEngine:
        opened.append(model)
        if model == Path("damaged"):
            raise BundleError("The model is damaged", "no completions", "install it again")
        return FakeEngine()

    monkeypatch.setitem(
        sys.modules, "cert_lsp.engine.pipeline", SimpleNamespace(Engine=SimpleNamespace(open=open_engine))
    )
    monkeypatch.delenv("CERT_LSP_MODEL", raising=False)
    return SimpleNamespace(opened=opened)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "work.py"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_json_is_exactly_what_scripts_expect(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complete", f"{script}:3", "--json", "-n", "2"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert set(output) == {"candidates", "elapsed_ms"}
    assert output["elapsed_ms"] >= 0
    assert [set(each) for each in output["candidates"]] == [{"code", "sketch", "score"}] * 2
    assert output["candidates"][0]["code"].startswith("\ndf.sum()  # total of each column")
    assert output["candidates"][0]["score"] > output["candidates"][1]["score"]


def test_neighbours_are_looked_up(script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "neighbours.jsonl.gz"
    write_neighbours(path, [Neighbour("total of each column", "totals(df)", body=False)])
    for command in ("complete", "sketch"):
        assert main([command, f"{script}:3", "--json", "--neighbours", str(path)]) == 0
        assert json.loads(capsys.readouterr().out)["candidates"][0]["code"] == "\ntotals(df)"
    assert main(["complete", f"{script}:3", "--neighbours", str(tmp_path / "none.gz")]) == 1
    assert "none.gz cannot be read" in capsys.readouterr().err


def test_people_see_sketch_and_code(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complete", f"{script}:3"]) == 0
    head, code = capsys.readouterr().out.splitlines()
    assert "df.sum()" in head
    assert code.startswith("df.sum()  # total")


def test_nothing_to_offer_is_no_failure_and_loads_no_model(
    script: Path, capsys: pytest.CaptureFixture[str], fake_engine: SimpleNamespace
) -> None:
    assert main(["complete", f"{script}:1:1", "--json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["candidates"] == []
    assert "nothing to offer" in output.err
    assert fake_engine.opened == []


def test_file_without_pandas_has_nothing_to_offer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plain.py"
    path.write_text("import os\n# list the files\n")
    assert main(["complete", f"{path}:2"]) == 0
    output = capsys.readouterr()
    assert output.out == ""
    assert "pandas" in output.err


def test_model_folder_comes_from_the_option_then_the_environment(
    script: Path, monkeypatch: pytest.MonkeyPatch, fake_engine: SimpleNamespace
) -> None:
    main(["complete", f"{script}:3"])
    monkeypatch.setenv("CERT_LSP_MODEL", "from-environment")
    main(["complete", f"{script}:3"])
    main(["complete", f"{script}:3", "--model", "from-option"])
    assert fake_engine.opened == [None, Path("from-environment"), Path("from-option")]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("a.py:3", Address(Path("a.py"), 3, None)),
        ("a.py:3:7", Address(Path("a.py"), 3, 7)),
        ("C:\\a.py:3", Address(Path("C:\\a.py"), 3, None)),
        ("a:b.py:3:7", Address(Path("a:b.py"), 3, 7)),
        ("a b\n.py:3", Address(Path("a b\n.py"), 3, None)),
    ],
)
def test_addresses_are_read_from_the_right(text: str, address: Address) -> None:
    assert parse_address(text) == address


def test_file_that_ends_in_a_number_is_found(tmp_path: Path) -> None:
    path = tmp_path / "log:5"
    path.write_text("x")
    assert parse_address(f"{path}:3") == Address(path, 3, None)
    assert parse_address(f"{path}:3:1") == Address(path, 3, 1)


@pytest.mark.parametrize("text", ["a.py", "a.py:", "a.py:x", ":3", "", "a.py:-1", "a.py:" + "9" * 5000])
def test_address_without_line_is_refused(text: str) -> None:
    with pytest.raises(ContextError, match="FILE:LINE"):
        parse_address(text)


def test_columns_count_characters_from_one(tmp_path: Path) -> None:
    path = tmp_path / "panda.py"
    path.write_text(PANDA, encoding="utf-8")
    text, offset = read_place(Address(path, 3, 10))
    assert text[:offset].endswith("# total 🐼")
    text, offset = read_place(Address(path, 3, None))
    assert text[:offset].endswith("# total 🐼 of each column")
    assert read_place(Address(path, 3, 25))[1] == offset
    assert read_place(Address(path, 1, 1))[1] == 0
    assert read_place(Address(path, 4, None))[1] == len(text)


def test_line_ends_are_kept_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    path = tmp_path / "mixed.py"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert read_place(Address(path, 3, 2)) == ("a\r\nb\rc\n", 6)


@pytest.mark.parametrize(("line", "column"), [(0, None), (5, None), (3, 0), (3, 26), (10**12, 1)])
def test_cursor_outside_the_file_is_refused(tmp_path: Path, line: int, column: int | None) -> None:
    path = tmp_path / "panda.py"
    path.write_text(PANDA, encoding="utf-8")
    with pytest.raises(ContextError, match=r"has no (line|column).*from 1 to"):
        read_place(Address(path, line, column))


@pytest.mark.parametrize("command", ["complete", "sketch"])
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.py", None, "No such file"),
        ("long" * 1000, None, "name too long"),
        ("folder", b"folder", "Is a directory"),
        ("latin.py", b"caf\xe9 = 1\n", "not UTF-8"),
        ("bad.ipynb", b"{not json", "not a Jupyter notebook"),
        ("list.ipynb", b"[]", "not a Jupyter notebook"),
        ("cells.ipynb", b'{"cells": [{"cell_type": "code", "source": 3}]}', "not a Jupyter notebook"),
        ("deep.ipynb", b"[" * 100_000, "not a Jupyter notebook"),
    ],
)
def test_unreadable_file_is_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    assert main([command, f"{path}:1"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("cert-lsp: ")
    assert message in output.err


def test_notebook_lines_are_those_of_its_code_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.ipynb"
    cells = [
        {"cell_type": "code", "source": ["import pandas as pd\n", "df = pd.read_csv('a.csv')\n"]},
        {"cell_type": "markdown", "source": "# not code"},
        {"cell_type": "code", "source": "# total of each column"},
    ]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    assert main(["complete", f"{path}:3", "--json"]) == 0
    assert "total of each column" in json.loads(capsys.readouterr().out)["candidates"][0]["code"]


def test_damaged_model_is_a_message(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complete", f"{script}:3", "--model", "damaged"]) == 1
    assert capsys.readouterr().err == "cert-lsp: The model is damaged; no completions; install it again.\n"


def test_sketch_of_a_place(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sketch", f"{script}:3", "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert [each["score"] for each in output["candidates"]] == [0, -1, -2]
    assert main(["sketch", f"{script}:1:1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["candidates"] == []


def stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_sketch_of_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(monkeypatch, b"df[df['a'] > 1]\n")
    assert main(["sketch", "-"]) == 0
    assert capsys.readouterr().out == "df[df[string] > number]\n"
    stdin(monkeypatch, b"df[df['a'] > 1]\n")
    assert main(["sketch", "-", "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["wire"] == "df[df[$string] > $number]\n"
    assert output["placeholders"] == [
        {"kind": "string", "start": 6, "end": 12},
        {"kind": "number", "start": 16, "end": 22},
    ]


def test_sketch_of_names(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(monkeypatch, b"def total(df):\n    return df.sum()\n")
    assert main(["sketch", "-", "--variant", "names"]) == 0
    assert capsys.readouterr().out == "def func(df):\n    return df.sum()\n"


@pytest.mark.parametrize("content", [b"df[", b"caf\xe9"])
def test_code_without_sketch_is_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    stdin(monkeypatch, content)
    assert main(["sketch", "-"]) == 1
    assert capsys.readouterr().err.startswith("cert-lsp: ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unheard-of"],
        ["complete"],
        ["complete", "a.py:1", "-n", "0"],
        ["complete", "a.py:1", "-n", "many"],
        ["serve", "--tcp", "7007"],
        ["serve", "--tcp", "localhost:port"],
        ["serve", "--stdio", "--tcp", "localhost:7007"],
        ["sketch", "-", "--variant", "some"],
    ],
)
def test_wrong_usage_exits_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(arguments)
    assert exit_info.value.code == 2
    assert "usage: cert-lsp" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["complete", "sketch", "serve", "doctor"])
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main([command, "--help"])
    assert exit_info.value.code == 0
    output = capsys.readouterr().out
    assert "exit codes: 0" in output
    assert "$CERT_LSP_MODEL" in output


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from cert_lsp.__main__ import build_parser; build_parser().format_help(); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "cert_lsp" in modules
    assert not {"numpy", "pygls", "lsprotocol", "libcst", "tokenizers", "onnxruntime"} & set(modules)


def test_reader_that_leaves_early_is_no_traceback(tmp_path: Path) -> None:
    code = "x = 'a'\n" * 20_000
    process = subprocess.Popen(
        [sys.executable, "-m", "cert_lsp", "sketch", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stdin.write(code.encode())
    process.stdin.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_full_disk_is_a_message() -> None:
    command = [sys.executable, "-m", "cert_lsp", "sketch", "-"]
    with Path("/dev/full").open("w") as full:
        completed = subprocess.run(command, input=b"x = 1\n", stdout=full, stderr=subprocess.PIPE, check=False)
    assert completed.returncode == 1
    assert completed.stderr.startswith(b"cert-lsp: ")
    assert completed.stderr.count(b"\n") == 1


def test_terminal_without_the_character_is_no_traceback() -> None:
    command = [sys.executable, "-m", "cert_lsp", "sketch", "-"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    completed = subprocess.run(command, input="é = 1\n".encode(), capture_output=True, env=environment, check=False)
    assert completed.returncode == 0, completed.stderr
    assert completed.stdout == b"\\xe9 = number\n"


def test_port_in_use_is_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "cert_lsp", "serve", "--tcp", "203.0.113.1:7007"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 1
    assert completed.stderr.startswith("cert-lsp: Cannot listen on 203.0.113.1:7007")


def test_doctor_reports_all_that_it_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cert_lsp.cli.doctor.version", lambda name: "1.0")
    assert main(["doctor", "--json", "--model", str(tmp_path)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    states = {check["name"]: check["state"] for check in report["checks"]}
    assert states == dict.fromkeys(["runtime", "bundle", "model", "golden"], "failed") | {"versions": "ok"}
    details = {check["name"]: check["detail"] for check in report["checks"]}
    assert "onnxruntime 1.0 and onnxruntime-gpu 1.0 are both installed" in details["runtime"]
    assert "pip uninstall" in details["runtime"]
    assert "bundle.json is missing" in details["bundle"]


def test_doctor_tells_people_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--model", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines][:2] == [["ok", "versions"], ["ok", "runtime"]]
    assert "onnxruntime" in lines[1]


def test_examples_of_the_help_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    root = Path(__file__).parents[2]
    addresses = re.findall(r"complete (examples/\S+)", capsys.readouterr().out)
    assert addresses
    for address in addresses:
        read_place(parse_address(str(root / address)))

"""Which pandas and NumPy a project uses, told from its files."""

from pathlib import Path

import pytest

from cert_lsp import project
from cert_lsp.engine.api_index import UNKNOWN, Versions
from cert_lsp.project import find_versions, versions_for


@pytest.fixture(autouse=True)
def _no_active_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(project, "_kept", {})


def environment(folder: Path, *installed: str) -> Path:
    packages = folder / "lib" / "python3.12" / "site-packages"
    for name in installed:
        (packages / f"{name}.dist-info").mkdir(parents=True)
    return folder


def test_what_is_installed_counts_first(tmp_path: Path) -> None:
    environment(tmp_path / ".venv", "pandas-2.2.3", "numpy-2.1.0", "pandas_stubs-3.0.0", "numpy_financial-1.0.0")
    (tmp_path / "requirements.txt").write_text("pandas==1.5.3\n")
    inside = tmp_path / "src" / "package"
    inside.mkdir(parents=True)
    assert find_versions(inside) == Versions("2.2.3", "2.1.0")


def test_an_active_environment_fills_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(tmp_path / "project" / ".venv", "numpy-2.1.0")
    monkeypatch.setenv("VIRTUAL_ENV", str(environment(tmp_path / "active", "pandas-3.0.1", "numpy-1.26.4")))
    assert find_versions(tmp_path / "project") == Versions("3.0.1", "2.1.0")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "uv.lock",
            '[[package]]\nname = "pandas"\nversion = "2.2.3"\n\n[[package]]\nname = "numpy"\nversion = "1.26.4"\n',
        ),
        (
            "poetry.lock",
            '[[package]]\nname = "numpy"\nversion = "1.26.4"\n\n[[package]]\nname = "pandas"\nversion = "2.2.3"\n',
        ),
        ("pixi.lock", "- conda: https://x/pandas-2.2.3-py312_0.conda\n- conda: https://x/numpy-1.26.4-py312_0.conda\n"),
        (
            "Pipfile.lock",
            '{"default": {"numpy": {"hashes": [], "version": "==1.26.4"}, "pandas": {"version": "==2.2.3"}}}',
        ),
        ("requirements.txt", "# pandas==1.0\nnumpy==1.26.4 ; python_version > '3'\npandas[excel] == 2.2.3\n"),
        ("requirements-dev.txt", "pandas==2.2.3\nnumpy==1.26.4\n"),
        ("environment.yml", "dependencies:\n  - pandas=2.2.3\n  - numpy=1.26.4\n"),
        ("pyproject.toml", '[project]\ndependencies = ["pandas==2.2.3", "numpy==1.26.4"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npandas = "2.2.3"\nnumpy = "==1.26.4"\n'),
    ],
)
def test_files_that_tell(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    assert find_versions(tmp_path) == Versions("2.2.3", "1.26.4")


@pytest.mark.parametrize(
    ("required", "version"),
    [
        (">=2.0,<3", "2.9999"),
        ("<2.0", "1.9999"),
        ("<2.2", "2.1.9999"),
        ("~=2.1", "2"),
        ("~=2.1.4", "2.1"),
        ("==1.5.*", "1.5"),
        ("^2.1", "2"),
        (">=2.0", None),
        ("!=2.0.1", None),
        ("", None),
    ],
)
def test_a_range_counts_as_its_upper_end(tmp_path: Path, required: str, version: str | None) -> None:
    (tmp_path / "requirements.txt").write_text(f"pandas{required}\npandas-stubs==9.9\n")
    assert find_versions(tmp_path).pandas == version


def test_a_document_is_asked_for_by_its_uri_and_the_answer_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    environment(folder / ".venv", "pandas-2.2.3")
    uri = (folder / "a.py").as_uri()
    assert versions_for(uri) == Versions("2.2.3")
    (folder / ".venv" / "lib" / "python3.12" / "site-packages" / "pandas-2.2.3.dist-info").rmdir()
    assert versions_for(uri) == Versions("2.2.3")
    assert versions_for(uri.replace("file:", "vscode-notebook-cell:") + "#W0") == Versions("2.2.3")


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "", "file:///does/not/exist/a.py", "file:///%00/a.py"])
def test_a_document_without_a_project_tells_nothing(uri: str) -> None:
    assert versions_for(uri) == UNKNOWN


def test_odd_files_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").mkdir()
    (tmp_path / "requirements.txt").write_bytes(b"\xff\xfe pandas==" + b"9" * 300 + b"\n")
    (tmp_path / ".venv").write_text("not a folder")
    assert find_versions(tmp_path) == UNKNOWN

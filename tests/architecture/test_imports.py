"""Imports point one way, and the server starts where the heavy libraries cannot be imported."""

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.repository import ROOT, modules

EXTRAS = {
    "cert_lsp": [],
    "evals": ["evals"],
    "trainer": ["train", "data", "scale"],
    "export": ["export"],
    "benchmarks": ["bench", "evals"],
}
"""Package -> extras that its user installs."""

SERVER = [
    ".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in modules() if path.parts[0] == "cert_lsp"
]

WALL = """
import importlib, sys

WALLED = {"torch", "transformers", "onnx", "optimum", "datasets", "pandas", "trainer", "export", "evals", "benchmarks"}

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in WALLED:
            raise ModuleNotFoundError(f"{name} is behind the wall", name=name)

sys.meta_path.insert(0, Wall())
for name in sys.argv[1:]:
    importlib.import_module(name)
assert not WALLED & {name.partition(".")[0] for name in sys.modules}
"""


def test_contracts_of_import_linter() -> None:
    run = subprocess.run(["lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_server_imports_behind_a_wall() -> None:
    run = subprocess.run([sys.executable, "-c", WALL, *SERVER], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_the_wall_holds() -> None:
    run = subprocess.run([sys.executable, "-c", WALL, "export.to_onnx"], cwd=ROOT, capture_output=True, text=True)
    assert "behind the wall" in run.stderr


def test_command_line_starts_without_numpy_and_runtime() -> None:
    code = (
        "import sys, cert_lsp.__main__; sys.exit(str({'numpy', 'onnxruntime', 'pygls', 'libcst'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stderr.strip() == "set()"


def test_one_module_loads_onnx_runtime() -> None:
    loading = {path.as_posix() for path in modules() if path.parts[0] == "cert_lsp" and "onnxruntime" in imported(path)}
    assert loading == {"cert_lsp/engine/runtime.py"}


@pytest.mark.parametrize("package", EXTRAS)
def test_what_is_imported_is_declared(package: str) -> None:
    declared = declared_distributions(EXTRAS[package])
    distributions = packages_distributions()
    own = {*EXTRAS, *sys.stdlib_module_names, "signatures"}  # which lies in the folder that runs as the API probe
    # ONNX Runtime comes with the extra cpu, gpu or gpu13, of which the user takes one.
    missing = {
        name
        for path in modules()
        if path.parts[0] == package
        for name in imported(path) - own - {"onnxruntime"}
        if not declared & {canonicalize_name(each) for each in distributions.get(name, [name])}
    }
    assert not missing


def test_server_declares_only_what_it_imports() -> None:
    distributions = packages_distributions()
    used = {
        canonicalize_name(distribution)
        for path in modules()
        if path.parts[0] == "cert_lsp"
        for name in imported(path)
        for distribution in distributions.get(name, [])
    }
    assert declared_distributions([]) <= used


def declared_distributions(extras: list[str]) -> set[str]:
    """What pyproject.toml names among the dependencies and these extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for name in extras for line in project["optional-dependencies"][name])]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def imported(path: Path) -> set[str]:
    """The top-level packages that a module imports anywhere, by statement or by a call of ``import_module``."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                names |= {each.name for each in node.names}
            case ast.ImportFrom(module=str(name), level=0):
                names.add(name)
            case ast.Call(func=ast.Name("import_module") | ast.Attribute(attr="import_module")):
                names |= {each.value for each in node.args if isinstance(each, ast.Constant)}
    return {name.partition(".")[0] for name in names}

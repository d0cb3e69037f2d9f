"""The model store: what is published appears whole or not at all, and what was in service stays until then."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cert_lsp.__main__ import main
from cert_lsp.contract.bundle import MANIFEST
from cert_lsp.errors import BundleError
from cert_lsp.store import Store, default_folder
from tests.cert_lsp.bundles import make_bundle


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def publish(store: Store, folder: Path, *names: str) -> list[str]:
    return [store.publish(make_bundle(folder / name, name)).name for name in names]


def test_an_empty_store_serves_the_embedded_model(store: Store) -> None:
    assert store.current() is None
    assert store.versions() == []
    assert store.in_order() == [None]
    assert not store.folder.exists()


def test_what_is_published_is_in_service_and_the_old_stays_beside_it(store: Store, tmp_path: Path) -> None:
    one, two = publish(store, tmp_path, "one", "two")
    assert store.current() == store.folder / "versions" / two
    assert {version.name for version in store.versions()} == {one, two}
    assert [folder and folder.name for folder in store.in_order()] == [two, one, None]
    assert (store.folder / "versions" / one / "adapter" / "weights").read_bytes() == b"adapter"


def test_the_same_bundle_is_one_version(store: Store, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "one", "a name/with ..signs")
    first = store.publish(bundle)
    assert store.publish(bundle) == first
    assert first.name.startswith("a-name-with-..signs-")
    assert len(store.versions()) == 1
    with pytest.raises(BundleError, match="There is no model nonsense"):
        store.use("nonsense")


def test_use_and_rollback(store: Store, tmp_path: Path) -> None:
    one, two, three = publish(store, tmp_path, "one", "two", "three")
    store.use(one)
    assert store.rollback() == three
    assert store.rollback() == two
    assert store.rollback() == "embedded"
    assert store.current() is None
    with pytest.raises(BundleError, match="No model was in service before"):
        store.rollback()
    store.use(one)
    store.use("embedded")
    assert store.current() is None
    assert store.rollback() == one


def test_a_damaged_bundle_is_refused_and_the_old_stays(store: Store, tmp_path: Path) -> None:
    one, two = publish(store, tmp_path, "one", "two")
    bad = make_bundle(tmp_path / "bad", "bad")
    (bad / "model.onnx").write_bytes(b"grape")
    with pytest.raises(BundleError, match="is damaged"):
        store.publish(bad)
    (store.folder / "versions" / one / "model.onnx").unlink()
    for choose in (lambda: store.use(one), store.rollback):
        with pytest.raises(BundleError, match="is damaged"):
            choose()
    assert store.current() == store.folder / "versions" / two


def test_prune_keeps_what_serves_and_forgets_what_is_gone(store: Store, tmp_path: Path) -> None:
    names = publish(store, tmp_path, "one", "two", "three", "four")
    for age, version in enumerate(names):
        os.utime(store.folder / "versions" / version / MANIFEST, (age, age))
    store.use(names[0])
    (store.folder / "versions" / ".incoming-left").mkdir()
    assert [version.name for version in store.prune(keep=1)] == names[1:3]
    assert sorted(path.name for path in (store.folder / "versions").iterdir()) == sorted([names[0], names[3]])
    assert store.rollback() == names[3]
    assert store.prune(keep=0)[0].name == names[0]
    assert store.current() is not None


def test_a_damaged_pointer_is_told_and_mended_by_use(store: Store, tmp_path: Path) -> None:
    [one] = publish(store, tmp_path, "one")
    for text in ("{", '{"current": "../../etc", "earlier": []}', "[]"):
        store.pointer.write_text(text)
        with pytest.raises(BundleError, match="which model is in service is not known"):
            store.current()
    store.use(one)
    assert store.current() == store.folder / "versions" / one


_LIMITED = """
import resource, signal, sys
from pathlib import Path
from cert_lsp.errors import BundleError
from cert_lsp.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    Store(Path(sys.argv[1])).publish(Path(sys.argv[2]))
except BundleError as error:
    sys.exit(str(error))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit for the size of files")
def test_a_disk_that_takes_no_more_is_one_message_and_the_old_stays(store: Store, tmp_path: Path) -> None:
    [one] = publish(store, tmp_path, "one")
    big = make_bundle(tmp_path / "big", "big", graph=bytes(200_000))
    command = [sys.executable, "-c", _LIMITED, str(store.folder), str(big)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert "the bundle is not published" in run.stderr
    assert "MB are free on that disk" in run.stderr
    assert "Traceback" not in run.stderr
    assert store.current() == store.folder / "versions" / one
    assert [path.name for path in (store.folder / "versions").iterdir()] == [one]


_KILLED = """
import os, signal, sys
from pathlib import Path
from cert_lsp import store
real = store._flush
calls = 0
def flush(path):
    global calls
    if calls == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    calls += 1
    real(path)
store._flush = flush
store.Store(Path(sys.argv[1])).publish(Path(sys.argv[2]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_kill_at_any_flush_leaves_the_old_or_the_new_whole(store: Store, tmp_path: Path) -> None:
    [one] = publish(store, tmp_path, "one")
    new = make_bundle(tmp_path / "new", "new")
    seen: list[str] = []
    for moment in range(20):
        store.use(one)
        command = [sys.executable, "-c", _KILLED, str(store.folder), str(new), str(moment)]
        run = subprocess.run(command, capture_output=True, text=True)
        current = store.current()
        assert current is not None
        store.use(current.name)  # verifies it
        seen.append(current.name.partition("-")[0])
        if run.returncode == 0:
            break
        assert run.returncode == -signal.SIGKILL, run.stderr
    assert seen[0] == "one"
    assert seen[-1] == "new"
    assert run.returncode == 0
    store.prune(keep=5)
    assert {path.name.partition("-")[0] for path in (store.folder / "versions").iterdir()} == {"one", "new"}


def test_the_command(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--store", str(store.folder)]
    one = make_bundle(tmp_path / "one", "one")
    assert main(["models", "list", *at]) == 0
    assert capsys.readouterr().out.startswith("* embedded")
    assert main(["models", "publish", str(one), *at]) == 0
    assert "* one-" in capsys.readouterr().out
    assert main(["models", "publish", str(make_bundle(tmp_path / "two", "two")), *at, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["current"].startswith("two-")
    assert len(told["versions"]) == 2
    assert main(["models", "rollback", *at, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["current"].startswith("one-")
    assert main(["models", "prune", "--keep", "0", *at]) == 0
    assert "deleted two-" in capsys.readouterr().out
    assert main(["models", "use", "two", *at]) == 1
    assert "There is no model two" in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong:
        main(["models", "prune", "--keep", "-1", *at])
    assert wrong.value.code == 2


def test_the_users_store_is_named_by_platform_or_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CERT_LSP_STORE", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("CERT_LSP_STORE")
    assert default_folder().parts[-2:] == ("cert-lsp", "models")

"""The model is exchanged while requests come in: none is lost, each is answered by one model; damage is refused."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cert_lsp.__main__ import main
from cert_lsp.store import Store
from tests.cert_lsp.bundles import make_bundle
from tests.cert_lsp.raw_client import RawClient


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("CERT_LSP_STORE", str(tmp_path / "store"))
    return Store()


@pytest.fixture
def client(store: Store) -> Iterator[RawClient]:
    with RawClient.fake(loading=0.2, decoding=0.05) as client:
        client.initialize()
        client.open()
        yield client


def model_of(client: RawClient) -> str | None:
    return client.response(client.request("cert/status"))["result"]["model"]


def wait_for_model(client: RawClient, name: str) -> None:
    deadline = time.monotonic() + 20
    while model_of(client) != name:
        assert time.monotonic() < deadline, model_of(client)
        time.sleep(0.02)


def test_every_request_is_answered_during_an_exchange(client: RawClient, store: Store, tmp_path: Path) -> None:
    wait_for_model(client, "fake")
    version = store.publish(make_bundle(tmp_path / "new", "new"))
    asked: list[int] = []
    deadline = time.monotonic() + 20
    while model_of(client) != version.name:
        assert time.monotonic() < deadline
        uri = f"file:///{len(asked)}.py"  # a new document each: a newer request of the same one would end the older
        client.open(uri=uri)
        asked.append(client.inline(uri=uri))
        time.sleep(0.02)
    assert len(asked) > 3
    answers = [client.response(each, timeout=30)["result"]["items"] for each in asked]
    assert all(len(items) == 1 for items in answers)
    assert main(["models", "rollback"]) == 0
    wait_for_model(client, "fake")
    [item] = client.response(client.inline(), timeout=10)["result"]["items"]
    assert item["insertText"]


def test_a_damaged_model_is_refused_while_the_old_one_answers(client: RawClient, store: Store, tmp_path: Path) -> None:
    good = store.publish(make_bundle(tmp_path / "good", "good"))
    wait_for_model(client, good.name)
    bad = store.publish(make_bundle(tmp_path / "bad", "bad"))
    wait_for_model(client, bad.name)
    store.use(good.name)
    wait_for_model(client, good.name)
    (bad.folder / "model.onnx").write_bytes(b"grape")
    pointer = tmp_path / "pointer.json"
    pointer.write_text(json.dumps({"current": bad.name, "earlier": []}))
    pointer.replace(store.pointer)  # as the store does it: else the watching server may read half of it
    message = client.wait_for("window/showMessage")["params"]["message"]
    assert "is damaged" in message
    assert "The old model goes on answering" in message
    assert model_of(client) == good.name
    assert client.response(client.inline())["result"]["items"]


def test_a_start_with_a_lost_model_takes_the_one_before(store: Store, tmp_path: Path) -> None:
    """The fake server cannot load a folder of this name, as if its files were unreadable."""
    good = store.publish(make_bundle(tmp_path / "good", "good"))
    lost = store.publish(make_bundle(tmp_path / "lost", "lost"))
    lost.folder.rename(lost.folder.with_name("damaged"))
    store.pointer.write_text(json.dumps({"current": "damaged", "earlier": [good.name, None]}))
    with RawClient.fake() as client:
        client.initialize()
        assert "Another model answers instead" in client.wait_for("window/showMessage")["params"]["message"]
        assert model_of(client) == good.name
        shutil.rmtree(store.folder)


def test_a_client_that_names_a_model_keeps_it(store: Store, tmp_path: Path) -> None:
    with RawClient.fake() as client:
        client.initialize(options={"model": str(tmp_path / "mine")})
        client.open()
        wait_for_model(client, "mine")
        store.publish(make_bundle(tmp_path / "new", "new"))
        time.sleep(0.5)
        assert model_of(client) == "mine"

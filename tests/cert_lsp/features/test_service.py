"""Status, pause, resume and reload."""

import time

from tests.cert_lsp.raw_client import TEXT, RawClient

STATUS_CHANGED = "cert/statusChanged"


def states(client: RawClient) -> list[str]:
    return [each["state"] for each in client.notifications(STATUS_CHANGED)]


def test_status_is_told_while_the_model_is_loaded() -> None:
    with RawClient.fake(loading=0.5) as client:
        client.initialize()
        client.wait_until(lambda: states(client) == ["loading", "ready"])
        expected = {"state": "ready", "message": None, "model": "fake", "version": "0.1.0"}
        assert client.notifications(STATUS_CHANGED)[-1] == expected
        assert client.response(client.request("cert/status"))["result"] == expected
        assert client.response(client.request("cert/status", {}))["result"] == expected


def test_damaged_model_is_a_status_with_the_remedy() -> None:
    with RawClient.fake(loading=-0.1) as client:
        client.initialize()
        client.wait_until(lambda: states(client) == ["loading", "error"])
        assert "install it again" in client.notifications(STATUS_CHANGED)[-1]["message"]


def test_paused_server_offers_nothing_and_ends_what_it_writes() -> None:
    with RawClient.fake(decoding=5.0) as client:
        client.initialize()
        client.open()
        running = client.inline()
        time.sleep(0.3)
        begun = time.monotonic()
        assert client.command("cert.pause")["state"] == "paused"
        assert client.response(running)["result"]["items"] == []
        assert client.response(client.inline())["result"]["items"] == []
        assert time.monotonic() - begun < 3
        assert client.response(client.request("cert/status"))["result"]["state"] == "paused"


def test_resumed_server_offers_again() -> None:
    with RawClient.fake(loading=0.2) as client:
        client.initialize()
        client.open()
        assert client.response(client.inline())["result"]["items"]
        client.command("cert.pause")
        assert client.response(client.inline())["result"]["items"] == []
        assert client.command("cert.resume")["state"] == "ready"
        assert client.response(client.inline())["result"]["items"]
        assert states(client) == ["loading", "ready", "paused", "ready"]


def test_reload_brings_a_new_model_and_the_old_answers_meanwhile() -> None:
    with RawClient.fake(loading=1.0) as client:
        client.initialize()
        client.open()
        client.open(f"{TEXT} and row", uri="file:///other.py")
        client.response(client.inline())
        request = client.request("workspace/executeCommand", {"command": "cert.reloadModel"})
        [item] = client.response(client.inline(character=30, uri="file:///other.py"))["result"]["items"]
        assert "begun 2," in item["insertText"]
        assert not any("method" not in each and each["id"] == request for each in client.received)
        assert client.response(request)["result"]["state"] == "ready"
        assert "begun 1," in client.response(client.inline())["result"]["items"][0]["insertText"]


def test_reload_that_fails_is_an_error_with_the_remedy() -> None:
    with RawClient.fake(loading=-0.1) as client:
        client.initialize()
        request = client.request("workspace/executeCommand", {"command": "cert.reloadModel"})
        error = client.response(request)["error"]
        assert error["code"] == -32803
        assert "install it again" in error["message"]

"""Settings on every way on which a client may tell them."""

from typing import Any

from tests.cert_lsp.raw_client import RawClient

ASKED = {"workspace": {"configuration": True}}


class Configuration:
    """A client's settings: answers ``workspace/configuration`` and keeps what was asked."""

    def __init__(self, client: RawClient, everywhere: Any, **folders: Any) -> None:
        self.everywhere = everywhere
        self.folders = folders
        self.asked: list[Any] = []
        client.answers["workspace/configuration"] = self.answer

    def answer(self, params: Any) -> list[Any]:
        self.asked.append(params["items"])
        scopes = [each.get("scopeUri") for each in params["items"]]
        return [self.folders.get(scope.rpartition("/")[2]) if scope else self.everywhere for scope in scopes]


def offered(client: RawClient, uri: str = "file:///work.py") -> int:
    """How many candidates an explicit request gets, which is the setting ``candidates``."""
    return len(client.response(client.inline(kind=1, uri=uri))["result"]["items"])


def model(client: RawClient) -> str:
    return client.command("cert.status")["model"]


def test_client_is_asked_and_its_answer_goes_over_the_options() -> None:
    with RawClient.fake() as client:
        configuration = Configuration(client, {"candidates": 5, "threads": None})
        client.initialize(ASKED, options={"candidates": 2, "maxTokens": 7})
        client.open()
        assert offered(client) == 5
        assert configuration.asked == [[{"section": "cert"}]]


def test_answer_of_null_leaves_the_options() -> None:
    with RawClient.fake() as client:
        Configuration(client, None)
        client.initialize(ASKED, options={"candidates": 2})
        client.open()
        assert offered(client) == 2


def test_client_that_does_not_answer_is_served_with_its_options() -> None:
    with RawClient.fake() as client:
        client.initialize(ASKED, options={"candidates": 2})
        client.open()
        request = client.inline(kind=1)
        assert len(client.response(request, timeout=20)["result"]["items"]) == 2


def test_changes_are_asked_for() -> None:
    with RawClient.fake() as client:
        configuration = Configuration(client, {"candidates": 5})
        client.initialize(ASKED)
        client.open()
        assert offered(client) == 5
        configuration.everywhere = {"candidates": 4}
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        client.wait_until(lambda: len(configuration.asked) == 2)
        assert offered(client) == 4


def test_changes_are_taken_from_a_client_that_cannot_be_asked() -> None:
    with RawClient.fake() as client:
        client.initialize(options={"candidates": 2})
        client.open()
        client.notify("workspace/didChangeConfiguration", {"settings": {"cert": {"candidates": 4}, "other": 1}})
        assert offered(client) == 4
        for nothing in ({"other": 1}, None, [], "x"):
            client.notify("workspace/didChangeConfiguration", {"settings": nothing})
            assert offered(client) == 2
        assert client.notifications("window/showMessage") == []


def test_each_folder_has_its_settings() -> None:
    with RawClient.fake() as client:
        configuration = Configuration(client, {"candidates": 5}, one={"candidates": 2}, two={"candidates": 4})
        client.initialize(ASKED, folders=("file:///one", "file:///one/two"))
        uris = ("file:///one/a.py", "file:///one/two/a.py", "file:///one-more/a.py")
        for uri in uris:
            client.open(uri=uri)
        assert [offered(client, uri) for uri in uris] == [2, 4, 5]
        scopes = [each.get("scopeUri") for each in configuration.asked[0]]
        assert scopes == [None, "file:///one", "file:///one/two"]
        event = {
            "added": [{"uri": "file:///one-more", "name": "one-more"}],
            "removed": [{"uri": "file:///one/two", "name": "two"}],
        }
        configuration.folders["one-more"] = {"candidates": 3}
        client.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        client.wait_until(lambda: len(configuration.asked) == 2)
        assert [offered(client, uri) for uri in uris] == [2, 2, 3]


def test_client_that_registers_dynamically_is_asked_to() -> None:
    with RawClient.fake() as client:
        client.initialize({"workspace": {"didChangeConfiguration": {"dynamicRegistration": True}}})
        registration = client.wait_for("client/registerCapability")["params"]["registrations"][0]
        assert registration["method"] == "workspace/didChangeConfiguration"
        assert registration["registerOptions"] == {"section": "cert"}


def test_what_is_not_valid_is_told_once_and_again_when_it_comes_back() -> None:
    with RawClient.fake() as client:
        configuration = Configuration(client, {"candidates": "many", "colour": 1}, one={"candidates": "many"})
        client.initialize(ASKED, folders=("file:///one",))
        client.open()
        assert offered(client) == 3
        for number, value in enumerate(["many", "many", 4, "many"], start=2):
            configuration.everywhere = {"candidates": value}
            configuration.folders.clear()
            client.notify("workspace/didChangeConfiguration", {"settings": None})
            client.wait_until(lambda: len(configuration.asked) == number)  # noqa: B023 - called at once
            assert offered(client) == (4 if value == 4 else 3)
        first, second = [each["message"] for each in client.notifications("window/showMessage")]
        assert first.count("candidates") == 1
        assert "colour" in first
        assert "candidates" in second


def test_another_model_is_loaded_beside_the_old() -> None:
    with RawClient.fake(loading=1.0) as client:
        client.initialize()
        client.open()
        assert offered(client) == 3
        assert model(client) == "fake"
        client.notify("workspace/didChangeConfiguration", {"settings": {"cert": {"model": "/models/better"}}})
        assert offered(client) == 3
        assert model(client) == "fake"
        client.wait_until(lambda: model(client) == "better")
        assert "begun 1," in client.response(client.inline())["result"]["items"][0]["insertText"]


def test_model_that_cannot_be_loaded_leaves_the_old_in_service() -> None:
    with RawClient.fake() as client:
        client.initialize()
        client.open()
        assert offered(client) == 3
        for settings in ({"model": "/models/damaged"}, {"model": "/models/damaged", "candidates": 5}):
            client.notify("workspace/didChangeConfiguration", {"settings": {"cert": settings}})
        client.wait_for("window/showMessage")
        assert offered(client) == 5
        assert client.command("cert.status")["state"] == "ready"
        client.drain()
        [message] = client.notifications("window/showMessage")
        assert "damaged" in message["message"]


def test_first_model_that_is_damaged_gives_way_to_one_that_is_not() -> None:
    with RawClient.fake() as client:
        client.initialize(options={"model": "/models/damaged"})
        client.open()
        assert client.response(client.inline())["result"]["items"] == []
        assert client.command("cert.status")["state"] == "error"
        client.notify("workspace/didChangeConfiguration", {"settings": {"cert": {"model": "/models/better"}}})
        client.wait_until(lambda: model(client) == "better")
        assert client.response(client.inline())["result"]["items"]

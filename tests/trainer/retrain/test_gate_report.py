"""The gate's decisions from figures, and the report that people read."""

from html.parser import HTMLParser

import numpy as np
import pytest

from trainer.retrain.gate import difference, interval, judge
from trainer.retrain.report import as_html, line_chart

RNG = np.random.default_rng(1)
BEFORE = {"loss": list(RNG.normal(2, 0.5, 80)), "edit_similarity": list(RNG.uniform(0.2, 0.8, 80))}
SOLVED = [1.0] * 20 + [0.0] * 20


def moved(by: dict[str, float], noise: float = 0.01) -> dict[str, list[float]]:
    return {name: [each + by[name] + RNG.normal(0, noise) for each in values] for name, values in BEFORE.items()}


def test_a_better_model_passes() -> None:
    gate = judge((BEFORE, moved({"loss": -0.2, "edit_similarity": 0.1})), (SOLVED, SOLVED), 0.05)
    assert gate["passed"]
    assert gate["reasons"] == []
    assert gate["team_difference"]["loss"]["mean"] == pytest.approx(0.2, abs=0.01)
    for part in ("team_before", "team_after"):
        for value in gate[part].values():
            assert value["low"] < value["mean"] < value["high"]
    assert gate["general_before"] == gate["general_after"]


@pytest.mark.parametrize(
    ("by", "noise", "named"),
    [
        ({"loss": 0.2, "edit_similarity": 0.1}, 0.01, "loss"),
        ({"loss": -0.2, "edit_similarity": -0.1}, 0.01, "edit_similarity"),
        ({"loss": -0.2, "edit_similarity": 0.0}, 0.2, "edit_similarity"),
    ],
)
def test_worse_or_unproven_is_refused(by: dict[str, float], noise: float, named: str) -> None:
    gate = judge((BEFORE, moved(by, noise)), (SOLVED, SOLVED), 0.05)
    assert not gate["passed"]
    assert [reason.partition(":")[0] for reason in gate["reasons"]] == [named]


def test_forgetting_is_refused_beyond_the_margin_alone() -> None:
    after = moved({"loss": -0.2, "edit_similarity": 0.1})
    one_lost, four_lost = [0.0, *SOLVED[1:]], [0.0] * 4 + SOLVED[4:]
    assert judge((BEFORE, after), (SOLVED, one_lost), 0.05)["passed"]
    gate = judge((BEFORE, after), (SOLVED, four_lost), 0.05)
    assert not gate["passed"]
    assert gate["reasons"] == ["general suite: -10.0%, more than the margin of 5.0%"]


def test_the_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        found = interval(list(rng.normal(1.0, 1.0, 60)))
        covered += found.low <= 1.0 <= found.high
    assert 0.88 <= covered / 200 <= 0.99
    with pytest.raises(ValueError, match="nothing"):
        interval([])


def test_pairs_are_compared_with_themselves() -> None:
    before = list(RNG.normal(0, 100, 50))
    found = difference(before, [each + 0.1 for each in before])
    assert found.low == pytest.approx(0.1)
    assert found.high == pytest.approx(0.1)


class Page(HTMLParser):
    """Collects tags, and what is fetched from elsewhere; checks that tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.text = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone_and_shows_code_as_text() -> None:
    gate = judge((BEFORE, moved({"loss": -0.2, "edit_similarity": 0.1})), (SOLVED, SOLVED), 0.05)
    sample = {
        "id": "a/b.py#1",
        "head": "x =",
        "wanted": " df[df.a < 1]",
        "before": "<script>bad()</script>",
        "after": "",
    }
    page = Page()
    page.feed(
        as_html(
            {
                "gate": gate,
                "published": "team-1",
                "repositories": ["a & b"],
                "pairs": 80,
                "tasks": 40,
                "corpus": {"files": 9, "kinds": {"comment": 5}, "drops": {"secret: AWS Access Key": 2}},
                "split": {"train": 4, "heldout": 1},
                "curves": {"loss": [(1, 2.0), (2, 1.0)], "eval_loss": [(2, 1.5)]},
                "samples": [sample],
                "usage": {"train": {"seconds": 3.5, "cpu_seconds": 5.0, "peak_mb": 900}},
                "estimate": "about 3 minutes",
            }
        )
    )
    assert "script" not in page.tags
    assert not page.fetched
    assert page.tags.count("polyline") == 2
    for said in ("<script>bad()</script>", "a & b", "df[df.a < 1]", "put in service", "secret: AWS Access Key"):
        assert said in page.text


def test_a_chart_of_one_point_or_none() -> None:
    assert "polyline" in line_chart({"loss": [(1, 2.0)]})
    assert "No step" in line_chart({"loss": []})

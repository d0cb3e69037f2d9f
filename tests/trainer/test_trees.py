"""Records behind one copy of what their heads have in common: the same loss, of fewer tokens."""

from pathlib import Path

import numpy as np
import pytest

from cert_lsp.contract.prompt import Role
from cert_lsp.contract.tokens import Encoder
from trainer.base import SMOLLM2_MARKERS
from trainer.data import encode_record, make_batches
from trainer.trees import Example, group, join, positions

torch = pytest.importorskip("torch")

FRAME = "import pandas as pd\n\ndf = pd.read_csv('flights.csv')  # carrier, distance, delay\n\n"
RECORDS = [
    {"head": FRAME + "# longest first\n", "code": "df.sort_values('distance')", "sketch": "df.sort_values($string)"},
    {"head": FRAME + "# mean delay\nx =", "code": " df['delay'].mean()", "sketch": " df[$string].mean()"},
    {"head": FRAME + "# how many?\n", "code": "len(df)", "sketch": "len(df)"},
]


@pytest.fixture(scope="module")
def examples(tiny_base: Path) -> list[Example]:
    encoder = Encoder.load(tiny_base / "tokenizer.json", SMOLLM2_MARKERS)
    encoded = [encode_record(record, Role.JOINT, encoder, 400) for record in RECORDS]
    return [example for example in encoded if example]


def test_a_tree_has_the_loss_and_the_gradient_of_its_records(examples: list[Example], tiny_base: Path) -> None:
    from trainer.model import LearnedLoss, load_model, to_tensors

    def learned(batches: list) -> tuple[torch.Tensor, torch.Tensor]:
        model = load_model(tiny_base, None).eval()
        tables = []
        for batch in batches:
            loss, table = LearnedLoss(model, autocast=False)(*to_tensors(batch, torch.device("cpu")))
            (loss * table[:, 1].sum()).backward()
            tables.append(table)
        return sum(tables), model.get_input_embeddings().weight.grad

    (tree,) = join(examples, 400)
    table, gradient = learned(make_batches([tree], 800))
    single_table, single_gradient = learned(make_batches(examples, 60))
    assert len(tree.ids) < sum(len(example.ids) for example in examples)
    torch.testing.assert_close(table, single_table)
    torch.testing.assert_close(gradient, single_gradient, rtol=1e-4, atol=1e-5)
    beside_others, _ = learned(make_batches([tree, examples[0]], 4000))
    torch.testing.assert_close(beside_others, single_table + learned(make_batches(examples[:1], 400))[0])


def test_what_does_not_fit_into_the_window_begins_another_tree(examples: list[Example]) -> None:
    window = max(len(example.ids) for example in examples) + 30
    trees = list(join(examples, window))
    assert 1 < len(trees) < 3
    assert all(len(tree.ids) <= window for tree in trees)


def test_nothing_that_is_learned_is_shared(examples: list[Example]) -> None:
    (tree,) = join([examples[0], examples[0]], 400)
    assert not any(part for part, branch in zip(tree.parts, tree.branches, strict=True) if branch == 0)
    assert sum(map(bool, tree.parts)) == 2 * sum(map(bool, examples[0].parts))


def test_records_that_have_nothing_in_common_stay_by_themselves(examples: list[Example]) -> None:
    other = Example([5, 6, 7], [0, 0, 2])
    assert list(join([examples[0], other], 400)) == [examples[0], other]
    assert list(join([other], 400)) == [other]


def test_branches_count_on_from_the_trunk() -> None:
    assert positions([0, 0, 0, 1, 1, 2, 2, 2, 3]).tolist() == [0, 1, 2, 3, 4, 3, 4, 5, 3]


def test_heads_are_grouped_by_how_they_begin() -> None:
    other = FRAME.replace("flights", "bookings")
    heads = [FRAME + "# a", other + "# b", FRAME + "# c", "# short", FRAME + "# d", other + "# e", "# shorter"]
    groups = group(heads, 8)
    assert sorted(sorted(groups[index].tolist()) for index in range(len(groups))) == [[0, 2, 4], [1, 5], [3], [6]]
    pairs = group(heads, 2)
    assert max(len(pairs[index]) for index in range(len(pairs))) == 2
    assert np.array_equal(np.sort(pairs.members), np.arange(len(heads)))

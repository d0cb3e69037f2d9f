"""A base with random weights and a corpus of a few records, made anew for every test session."""

from pathlib import Path

import pytest


def records(count: int) -> list[dict[str, str]]:
    """Records of two kinds whose lengths vary; every code has its true sketch."""
    from cert_lsp.contract.sketch import sketch

    rows = []
    for number in range(count):
        code = f" df.groupby('k{number}')['v'].mean()" + f".round({number})" * (number % 4)
        lines = "".join(f"y{line} = {line}\n" for line in range(number % 7))
        rows.append(
            {
                "head": f"import pandas as pd\n{lines}# mean of v per k{number}\nx =",
                "code": code,
                "sketch": sketch(code, before="x =").wire,
                "kind": ("comment", "doctest")[number % 2],
                "source": ("alpha", "beta", "gamma")[number % 3],
                "path": f"f{number}.py",
                "split": "train",
                "license": "MIT",
            }
        )
    return rows


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus folder with 48 training and 12 held-out records."""
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    folder = tmp_path_factory.mktemp("corpus")
    for split, rows in (("train", records(48)), ("heldout", records(60)[48:])):
        parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"{split}.parquet")
    return folder


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base folder: a two-layer Llama over bytes."""
    pytest.importorskip("transformers")
    from trainer.scratch import write_random_base

    folder = tmp_path_factory.mktemp("base")
    write_random_base(folder)
    return folder

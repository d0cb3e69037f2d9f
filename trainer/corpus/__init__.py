"""The training corpus: from source distributions and folders to intent→code pairs with their sketches.

`fetch` brings the pinned distributions, `readers` stream the files in them, `extract*` find pairs, `filters` drop poor
ones, `dedup` and `decontaminate` drop repeated and forbidden ones, `build` writes Parquet and a report.
Nothing of what is read is ever run.
"""

"""The training corpus: from source distributions and folders to intent→code pairs with their sketches.

`fetch` brings the pinned distributions, `readers` stream the files in them, `shards` cuts them into pieces of work,
`extract`, `pairs` and `layout` make records of them (`records`), `decontaminate` drops forbidden ones and `dedup`
repeated ones, `merge` writes what is left and a report. `build` puts these into stages, `executor` has them done on one
machine or many. `files` and `quality` make the other corpus, of whole files. Nothing of what is read is ever run.
"""

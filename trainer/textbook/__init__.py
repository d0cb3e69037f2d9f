"""Two books of our own: what people do with pandas and NumPy, asked in many ways, each answer run and checked.

operations.py  one operation = answers, phrasings, the data it needs, a check: in the textbook (catalogue/*.toml), which
               speaks of columns, or in the phrasebook (phrasebook/*.toml), which speaks of what they hold
domains.py     what the made-up data is about (domains.toml), and what people call it (lexicon/*.toml)
words.py       such words in a phrasing
scene.py       data for one sample: literals, parameters, files
wording.py     phrasings in the styles of comments, titles, questions and docstrings
render.py      operation + scene + wording -> head, code and a program that can be run
sandbox.py     runs programs under one or more interpreters (runner.py is what runs there)
build.py       samples -> Parquet and a report
"""

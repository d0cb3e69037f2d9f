r"""Prompts that every export is verified on: what an editor would send, and the sketch a generator would be given.

None of them is training data or an evaluation task.
"""

_IMPORTS = "import numpy as np\nimport pandas as pd\n\n"
_NORM = '''def standardise(x: np.ndarray) -> np.ndarray:
    """Subtract the mean and divide by the deviation of each column."""
'''
_JOIN = """left = pd.read_parquet("left.parquet")
right = pd.read_parquet("right.parquet")
# join both on the id, keep all rows of left
both ="""
_WARM = """temps = pd.DataFrame({"city": ["Oslo"], "celsius": [4.5]})
# rows above freezing
warm ="""
_WEEK = """shares = shares.sort_index()
# rolling mean over a week of closing prices
shares["week"] ="""

PROMPTS: tuple[tuple[str, str], ...] = tuple(
    (_IMPORTS + head, sketch)
    for head, sketch in (
        ("# total price for every customer", "\norders.groupby($string)[$string].sum()"),
        ("def load(path):\n    # read the sheet, first column as index\n    return", " pd.read_excel(path, $number)"),
        (_WARM, " temps[temps[$string] > $number]"),
        ("# a 3 by 3 identity matrix\neye =", " np.eye($number)"),
        (_WEEK, " shares[$string].rolling($number).mean()"),
        (_NORM, "    return (x - x.mean(axis=$number)) / x.std(axis=$number)"),
        ("# parse the timestamps\nlog['time'] =", " pd.to_datetime(log[$string])"),
        (_JOIN, " left.merge(right, on=$string, how=$string)"),
        ("# replace what is missing by the median\nhouses['area'] =", " houses[$string].fillna(houses.median())"),
        ("# ten evenly spaced points between 0 and 1\nx =", " np.linspace($number, $number, $number)"),
        ("# how often every answer was given\n", "survey[$string].value_counts()"),
        ("# stack the arrays as columns\nm =", " np.column_stack([a, b])"),
    )
)
"""(head, sketch in wire form) of each prompt."""

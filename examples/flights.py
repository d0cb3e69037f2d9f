"""A comment states the intent. Complete its line: cert-lsp complete examples/flights.py:9."""

import pandas as pd

flights = pd.DataFrame(
    {"carrier": ["AA", "UA", "AA", "DL"], "delay": [12.0, -3.0, 30.0, 4.0], "distance": [733, 2475, 1400, 404]}
)

# average delay per carrier

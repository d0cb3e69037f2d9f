"""A statement is begun below the comment. Complete it: cert-lsp complete examples/orders.py:9."""

import pandas as pd


def with_cities(orders: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Tell where each order goes."""
    # join the city of the customer to every order
    return

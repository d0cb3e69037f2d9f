"""Speed and memory, each beside a peer in the same run. Runs from a checkout and stays out of the wheel."""

"""The installed server and its model, driven by a standard client."""

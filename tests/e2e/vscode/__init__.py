"""VS Code as code-server, in a browser, with the packed extension and the real server."""

"""JupyterLab with jupyterlab-lsp, in a browser, with the real server: set up as docs/editors.md says."""

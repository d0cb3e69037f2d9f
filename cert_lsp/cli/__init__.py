"""The commands of ``cert-lsp``, one a module: ``run(arguments) -> exit code``."""

"""What keeps the house in order: imports, sizes, packaging, commands of the README."""

-- Neovim's description of the server, found on the runtime path: `vim.lsp.enable('cert_lsp')`.
return {
  cmd = { 'cert-lsp', 'serve' },
  filetypes = { 'python' },
  root_markers = { 'pyproject.toml', 'setup.py', '.git' },
}

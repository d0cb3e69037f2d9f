-- Neovim's description of the server, found on the runtime path: `vim.lsp.enable('cert_lsp')`.
return {
  -- One server for all windows, where there are Unix sockets.
  cmd = { 'cert-lsp', vim.fn.has('win32') == 1 and 'serve' or 'connect' },
  filetypes = { 'python' },
  root_markers = { 'pyproject.toml', 'setup.py', '.git' },
  capabilities = {
    -- Whatever a completion plugin claims: vim.snippet indents the lines of a snippet like the cursor's.
    textDocument = { completion = { completionItem = { insertTextModeSupport = { valueSet = { 2 } } } } },
  },
  handlers = {
    ['cert/statusChanged'] = function(...)
      require('cert_lsp.server').status_changed(...)
    end,
  },
  on_init = function(client)
    require('cert_lsp.server').started(client)
  end,
  on_attach = function(client, buf)
    vim.lsp.completion.enable(true, client.id, buf) -- else what <C-x><C-o> puts in stays half done
    vim.defer_fn(function() -- who has typed already need not type on; behind what Neovim itself has scheduled
      if vim.api.nvim_get_mode().mode == 'i' and vim.api.nvim_get_current_buf() == buf then
        vim.api.nvim_exec_autocmds('CursorMovedI', { buffer = buf })
      end
    end, 0)
  end,
  on_exit = function(...)
    require('cert_lsp.server').stopped(...)
  end,
}

-- Starts the server and puts its ghost text under a key. Neovim 0.12 draws ghost text itself;
-- for 0.11 it comes from cert_lsp/ghost.lua.
local M = {}

---@class cert_lsp.Opts
---@field accept? string Key that accepts the ghost text; elsewhere it keeps its meaning. Default: <Tab>
---@field config? vim.lsp.Config Merged into the server's configuration, e.g. { init_options = { threads = 2 } }

---@param opts? cert_lsp.Opts
function M.setup(opts)
  opts = vim.tbl_extend('keep', opts or {}, { accept = '<Tab>', config = {} })
  local ghost = vim.lsp.inline_completion or require('cert_lsp.ghost')
  vim.lsp.config('cert_lsp', opts.config)
  vim.lsp.enable('cert_lsp')
  ghost.enable()
  vim.keymap.set('i', opts.accept, function()
    -- <C-g>u closes the undo step first, so that one undo takes back the accepted code and no more.
    return ghost.get() and '<C-g>u' or opts.accept
  end, { expr = true, desc = 'Accept the suggested code' })
end

return M

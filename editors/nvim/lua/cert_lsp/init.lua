-- Starts the server, shows its ghost text and puts that under keys.
local M = {}

---@class cert_lsp.Opts
---@field accept? string|false Key that accepts the ghost text; where there is none, it does what it did before. Default: <Tab>
---@field accept_word? string|false Key that accepts its next word. Default: <M-Right>
---@field accept_line? string|false Key that accepts its next line. Default: <M-C-Right>
---@field settings? table Settings of the server, e.g. { threads = 2 }

local DEFAULTS = { accept = '<Tab>', accept_word = '<M-Right>', accept_line = '<M-C-Right>', settings = {} }

--- What a key did before it is mapped here.
---@return fun(): string
local function meaning(key)
  local before = vim.fn.maparg(key, 'i', false, true)
  return before.callback and before.expr == 1 and before.callback or function()
    return key
  end
end

local function accept(part, refused)
  return require('cert_lsp.ghost').take(function(offer)
    if not require('cert_lsp.offer').insert(offer, part) and refused then
      refused()
    end
  end)
end

local function map(key, part)
  local otherwise = meaning(key)
  local function refused() -- something else was typed meanwhile
    vim.api.nvim_feedkeys(vim.keycode(otherwise()), 'n', false)
  end
  vim.keymap.set('i', key, function()
    -- <C-g>u closes the undo step first, so that one undo takes back the accepted code and no more.
    return accept(part, refused) and '<C-g>u' or otherwise()
  end, { expr = true, desc = 'Accept the suggested code' .. (part and ': a ' .. part or '') })
end

--- Start the server for Python files. May be called again, to change settings while it runs.
---@param opts? cert_lsp.Opts
function M.setup(opts)
  if vim.fn.has('nvim-0.11') == 0 then
    vim.notify('CERT-LSP needs Neovim 0.11 or newer, so it does nothing here.', vim.log.levels.ERROR)
    return
  end
  opts = vim.tbl_extend('keep', opts or {}, DEFAULTS)
  if next(opts.settings) then -- an empty table would travel as a list
    vim.lsp.config('cert_lsp', { settings = { cert = opts.settings } })
  end
  if M.is_set_up then
    require('cert_lsp.server').tell_settings()
    return
  end
  M.is_set_up = true
  vim.lsp.enable('cert_lsp')
  require('cert_lsp.ghost').enable()
  for name, part in pairs({ accept = false, accept_word = 'word', accept_line = 'line' }) do
    if opts[name] then
      map(opts[name], part or nil)
    end
  end
end

--- Accept the ghost text, or its next word or line. For mappings of one's own, <expr> ones too.
---@param part? 'word'|'line'
---@return boolean shown Whether there is ghost text
function M.accept(part)
  return accept(part)
end

--- For the statusline: the state of the server that serves the buffer; empty where none does.
---@return string
function M.statusline()
  local status = require('cert_lsp.server').status()
  return status and (status.state == 'ready' and 'CERT' or 'CERT: ' .. status.state) or ''
end

return M

-- Ghost text. Neovim 0.12 asks for it and draws it by itself; for 0.11 it is done here.
local offers = require('cert_lsp.offer')

local M = {}

local METHOD = 'textDocument/inlineCompletion'
local AUTOMATIC = 2 -- InlineCompletionTriggerKind
local DEBOUNCE_MS = 200 -- as in Neovim 0.12
local namespace = vim.api.nvim_create_namespace('cert_lsp.ghost')

local shown ---@type cert_lsp.Offer?
local shown_in ---@type integer?
local cancel_request ---@type fun()?
local asked = 0 -- number of the latest request: an older answer is not drawn

local function clear()
  asked = asked + 1
  if cancel_request then
    cancel_request()
    cancel_request = nil
  end
  if shown_in and vim.api.nvim_buf_is_valid(shown_in) then
    vim.api.nvim_buf_clear_namespace(shown_in, namespace, 0, -1)
  end
end

local function hide()
  clear()
  shown, shown_in = nil, nil
end

local function show(buf, offer)
  local rest = offers.rest(offer)
  if not rest then
    return hide()
  end
  shown, shown_in = offer, buf
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  offers.draw(buf, namespace, row - 1, col, rest)
end

local function request(client, buf)
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = AUTOMATIC }
  local number = asked
  local _, id = client:request(METHOD, params, function(err, result)
    if err or number ~= asked then
      return
    end
    local item = result and (result.items or result)[1]
    hide()
    if item then
      show(buf, { text = item.insertText, row = row - 1, col = col, client_id = client.id, command = item.command })
    end
  end, buf)
  cancel_request = id and function()
    client:cancel_request(id)
  end
end

local function changed(event)
  clear()
  if shown and shown_in == event.buf then
    show(event.buf, shown) -- who types along sees the rest at once
  end
  local number = asked
  vim.defer_fn(function()
    local client = vim.lsp.get_clients({ bufnr = event.buf, name = 'cert_lsp' })[1]
    if client and number == asked and vim.api.nvim_get_current_buf() == event.buf then
      request(client, event.buf)
    end
  end, DEBOUNCE_MS)
end

--- Show ghost text from now on.
function M.enable()
  if vim.lsp.inline_completion then
    return vim.lsp.inline_completion.enable()
  end
  local group = vim.api.nvim_create_augroup('cert_lsp.ghost', {})
  local events = { 'InsertEnter', 'CursorMovedI', 'TextChangedP' }
  vim.api.nvim_create_autocmd(events, { group = group, callback = changed })
  vim.api.nvim_create_autocmd({ 'InsertLeave', 'BufLeave' }, { group = group, callback = hide })
end

--- Hand over what is shown, and show it no longer. An <expr> mapping may not change text, so this happens soon after.
---@param take fun(offer: cert_lsp.Offer)
---@return boolean shown Whether there is anything to hand over
function M.take(take)
  if vim.lsp.inline_completion then
    return vim.lsp.inline_completion.get({
      on_accept = function(item)
        local start = item.range:to_lsp('utf-8').start
        local row, col = start.line, start.character
        take({ text = item.insert_text, row = row, col = col, client_id = item.client_id, command = item.command })
      end,
    })
  end
  local offer = shown
  if offer then
    vim.schedule(function()
      hide()
      take(offer)
    end)
  end
  return offer ~= nil
end

return M

-- Ghost text for Neovim 0.11, with the two functions of 0.12's vim.lsp.inline_completion that init.lua uses.
local M = {}

local METHOD = 'textDocument/inlineCompletion'
local AUTOMATIC = 2 -- InlineCompletionTriggerKind
local DEBOUNCE_MS = 200 -- as in Neovim 0.12
local namespace = vim.api.nvim_create_namespace('cert_lsp.ghost')

---@class cert_lsp.Shown
---@field buf integer
---@field row integer
---@field col integer
---@field text string

local shown ---@type cert_lsp.Shown?
local cancel_request ---@type fun()?
local asked = 0 -- number of the latest request: an older answer is not drawn

local function hide()
  asked = asked + 1
  if cancel_request then
    cancel_request()
    cancel_request = nil
  end
  if shown and vim.api.nvim_buf_is_valid(shown.buf) then
    vim.api.nvim_buf_clear_namespace(shown.buf, namespace, 0, -1)
  end
  shown = nil
end

local function show(buf, item)
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  shown = { buf = buf, row = row - 1, col = col, text = item.insertText }
  local lines = vim.tbl_map(function(line)
    return { { line, 'Comment' } }
  end, vim.split(item.insertText, '\n', { plain = true }))
  vim.api.nvim_buf_set_extmark(buf, namespace, shown.row, col, {
    virt_text = table.remove(lines, 1),
    virt_text_pos = 'inline',
    virt_lines = lines,
    hl_mode = 'combine',
  })
end

local function request(client, buf)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = AUTOMATIC }
  local number = asked
  local _, id = client:request(METHOD, params, function(err, result)
    local items = result and (result.items or result) or {}
    if not err and number == asked and items[1] then
      show(buf, items[1])
    end
  end, buf)
  cancel_request = id and function()
    client:cancel_request(id)
  end
end

function M.enable()
  local group = vim.api.nvim_create_augroup('cert_lsp.ghost', {})
  vim.api.nvim_create_autocmd({ 'InsertEnter', 'CursorMovedI', 'TextChangedP' }, {
    group = group,
    callback = function(event)
      hide()
      local number = asked
      vim.defer_fn(function()
        local client = vim.lsp.get_clients({ bufnr = event.buf, name = 'cert_lsp' })[1]
        if client and number == asked and vim.api.nvim_get_current_buf() == event.buf then
          request(client, event.buf)
        end
      end, DEBOUNCE_MS)
    end,
  })
  vim.api.nvim_create_autocmd({ 'InsertLeave', 'BufLeave' }, { group = group, callback = hide })
end

--- Insert the ghost text, if there is any.
---@return boolean
function M.get()
  local item = shown
  if not item then
    return false
  end
  vim.schedule(function() -- an <expr> mapping may not change the text itself
    hide()
    local lines = vim.split(item.text, '\n', { plain = true })
    vim.api.nvim_buf_set_text(item.buf, item.row, item.col, item.row, item.col, lines)
    local col = #lines == 1 and item.col or 0
    vim.api.nvim_win_set_cursor(0, { item.row + #lines, col + #lines[#lines] })
  end)
  return true
end

return M

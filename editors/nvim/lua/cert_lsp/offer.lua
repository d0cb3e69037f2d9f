-- Offered text: how it is drawn, what is left of it once some is typed, and how it gets into the buffer.
local M = {}

---@class cert_lsp.Offer
---@field text string
---@field row integer Where the text begins: zero-based, columns in bytes
---@field col integer
---@field client_id integer
---@field command? lsp.Command Tells the server that all of the text was accepted

-- Space, then a word with the punctuation behind it, or a line. Bytes from 128 on belong to letters beyond ASCII.
local PARTS = {
  word = '^%s*[%w_\128-\255]*[^%w_%s\128-\255]*',
  line = '^%s*[^\n]*',
}

--- What an offer still has for the cursor; nil where something else was typed, or the cursor is elsewhere.
---@param offer cert_lsp.Offer
---@return string?
function M.rest(offer)
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local is_there, typed = pcall(vim.api.nvim_buf_get_text, 0, offer.row, offer.col, row - 1, col, {})
  local text = is_there and table.concat(typed, '\n')
  if text and vim.startswith(offer.text, text) and text ~= offer.text then
    return offer.text:sub(#text + 1)
  end
end

--- Put an offer, or its next word or line, at the cursor.
---@param offer cert_lsp.Offer
---@param part? 'word'|'line'
---@return boolean inserted
function M.insert(offer, part)
  local rest = M.rest(offer)
  if not rest then
    return false
  end
  local piece = part and rest:match(PARTS[part]) or rest
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  M.put(0, row - 1, col, piece)
  local client = vim.lsp.get_client_by_id(offer.client_id)
  if piece == rest and offer.command and client then
    client:exec_cmd(offer.command, { bufnr = vim.api.nvim_get_current_buf() })
  end
  return true
end

--- Put text into a window's buffer, and the cursor behind it.
---@param win integer
function M.put(win, row, col, text)
  local lines = vim.split(text, '\n', { plain = true })
  vim.api.nvim_buf_set_text(vim.api.nvim_win_get_buf(win), row, col, row, col, lines)
  local start = #lines == 1 and col or 0
  vim.api.nvim_win_set_cursor(win, { row + #lines, start + #lines[#lines] })
end

--- Draw text where it would go, as ghost text.
function M.draw(buf, namespace, row, col, text)
  local lines = vim.tbl_map(function(line)
    return { { line, 'Comment' } }
  end, vim.split(text, '\n', { plain = true }))
  vim.api.nvim_buf_set_extmark(buf, namespace, row, col, {
    virt_text = table.remove(lines, 1),
    virt_text_pos = 'inline',
    virt_lines = lines,
    hl_mode = 'combine',
  })
end

return M

-- The sketch in a window of its own: it can be edited, and the code that follows from it is drawn in the file.
local offers = require('cert_lsp.offer')
local server = require('cert_lsp.server')

local M = {}

local PAUSE_MS = 300 -- in typing, after which the code follows
local PLACEHOLDER = [[\$\%(number\|floatexponant\|float\|complex\|string\|rawstring\|interstring\|interrawstring]]
  .. [[\|binarystring\|unicodestring\)\>]]
local namespace = vim.api.nvim_create_namespace('cert_lsp.sketch')

---@class cert_lsp.Sketch
---@field buf integer Holds the sketch
---@field file integer The buffer that the code goes to
---@field tick integer Its change number, of when the sketch was asked for
---@field row integer
---@field col integer
---@field place any[] The same for the server: document and position
---@field candidates { code: string, sketch: string }[]
---@field index integer
---@field text? string The sketch as it is
---@field code? string What follows from the sketch as it is; nil while it is being written

local shown ---@type cert_lsp.Sketch?
local asked = 0 -- number of the latest change: an older answer is not drawn

local function forget()
  if shown and vim.api.nvim_buf_is_valid(shown.file) then
    vim.api.nvim_buf_clear_namespace(shown.file, namespace, 0, -1)
  end
  shown = nil
end

local function close()
  if shown then
    vim.api.nvim_buf_delete(shown.buf, { force = true }) -- which ends in forget()
  end
end

local function draw()
  if not vim.api.nvim_buf_is_valid(shown.file) then
    return close()
  end
  vim.api.nvim_buf_clear_namespace(shown.file, namespace, 0, -1)
  local code = shown.code
  if code and code ~= '' and vim.api.nvim_buf_get_changedtick(shown.file) == shown.tick then
    offers.draw(shown.file, namespace, shown.row, shown.col, code)
  end
  local state = not code and 'writing the code' or code == '' and 'no code follows' or '<CR> takes the code'
  vim.wo[vim.fn.bufwinid(shown.buf)].winbar = ('Sketch %d of %d: %s, ]] and [[ turn'):format(shown.index, #shown.candidates, state)
end

--- After a change of the sketch: have its code written, once the user pauses.
local function follow()
  local sketch, text = shown, table.concat(vim.api.nvim_buf_get_lines(shown.buf, 0, -1, false), '\n')
  vim.bo[sketch.buf].modified = false -- closing it never asks
  if text == sketch.text then -- told of a change once more, at the end of insert mode
    return
  end
  sketch.text = text
  asked = asked + 1
  local number, known = asked, sketch.candidates[sketch.index]
  sketch.code = known.sketch == text and known.code or nil
  draw()
  if sketch.code then
    return
  end
  vim.defer_fn(function()
    local client = shown == sketch and number == asked and server.client(sketch.file)
    if client then
      server.run(client, 'cert.completeFromSketch', { sketch.place[1], sketch.place[2], text }, function(result)
        if shown == sketch and number == asked then
          local best = result.candidates[1]
          sketch.code = best and best.code or ''
          draw()
        end
      end)
    end
  end, PAUSE_MS)
end

local function write(text)
  shown.text = nil
  vim.api.nvim_buf_set_lines(shown.buf, 0, -1, false, vim.split(text, '\n', { plain = true }))
  follow()
end

local function open()
  local buf = vim.api.nvim_create_buf(false, true)
  shown.buf = buf
  vim.api.nvim_buf_set_name(buf, 'cert://sketch')
  vim.bo[buf].buftype = 'acwrite' -- :write takes the code
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].syntax = 'python'
  vim.api.nvim_open_win(buf, true, { split = 'below', height = 4 })
  vim.fn.matchadd('Special', PLACEHOLDER)
  vim.keymap.set('n', '<CR>', M.accept, { buffer = buf, desc = 'Put the code into the file' })
  vim.keymap.set('n', ']]', M.next, { buffer = buf, desc = 'Next sketch' })
  vim.keymap.set('n', '[[', M.previous, { buffer = buf, desc = 'Previous sketch' })
  vim.api.nvim_create_autocmd('BufWriteCmd', { buffer = buf, callback = M.accept })
  vim.api.nvim_create_autocmd({ 'TextChanged', 'TextChangedI', 'TextChangedP' }, { buffer = buf, callback = follow })
  vim.api.nvim_create_autocmd('BufWipeout', { buffer = buf, callback = forget })
end

--- Ask for the sketches at the cursor, in normal mode at the end of its line, and open the best.
function M.show()
  local client, file = server.client(), vim.api.nvim_get_current_buf()
  if not client then
    server.tell('no server for this buffer; `:checkhealth cert` says why.', vim.log.levels.WARN)
    return
  end
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local line, inserting = vim.api.nvim_get_current_line(), vim.api.nvim_get_mode().mode:find('i')
  col = inserting and col or #line
  local character = vim.str_utfindex(line, client.offset_encoding, col)
  local place = { vim.uri_from_bufnr(file), { line = row - 1, character = character } }
  local tick = vim.api.nvim_buf_get_changedtick(file)
  server.run(client, 'cert.showSketch', place, function(result)
    if #result.candidates == 0 then
      server.tell('no sketch here; put the cursor on a comment of what you want.')
      return
    end
    close()
    vim.cmd.stopinsert()
    shown = { file = file, tick = tick, row = row - 1, col = col, place = place, index = 1 }
    shown.candidates = result.candidates
    open()
    write(shown.candidates[1].sketch)
  end)
end

local function turn(step)
  if not shown then
    server.tell('no sketch is shown; `:Cert sketch` shows one.')
    return
  end
  shown.index = (shown.index - 1 + step) % #shown.candidates + 1
  write(shown.candidates[shown.index].sketch)
end

--- Show the next sketch.
function M.next()
  turn(1)
end

--- Show the sketch before.
function M.previous()
  turn(-1)
end

--- Put the code that follows from the sketch where the sketch was asked for.
function M.accept()
  local sketch = shown
  if not sketch or not sketch.code or sketch.code == '' then
    server.tell('wait until the code is drawn in the file.')
  elseif vim.api.nvim_buf_get_changedtick(sketch.file) ~= sketch.tick then
    server.tell('the file has changed since; show the sketch again there.', vim.log.levels.WARN)
  else
    close()
    local win = vim.fn.bufwinid(sketch.file)
    if win == -1 then
      vim.cmd.sbuffer(sketch.file)
      win = vim.api.nvim_get_current_win()
    end
    vim.api.nvim_set_current_win(win)
    offers.put(win, sketch.row, sketch.col, sketch.code)
  end
end

return M

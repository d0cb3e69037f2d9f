-- The server as the editor sees it: its status, its commands, and its end.
local M = {}

local RESTARTS, WITHIN_SECONDS = 4, 180
local OVERTAKEN = -32801 -- ContentModified: a newer request has the answer

local statuses = {} ---@type table<integer, { state: string, message?: string, model?: string, version: string }>
local stops = {} ---@type integer[] When the server stopped unexpectedly, in seconds
local paused = false -- holds for servers that are started later, too

--- Tell the user; in one line of 80 columns, else Neovim waits for the Enter key.
---@param message string
---@param level? integer
function M.tell(message, level)
  vim.notify('CERT-LSP: ' .. message, level or vim.log.levels.INFO)
end

--- The client that serves a buffer.
---@param buf? integer
---@return vim.lsp.Client?
function M.client(buf)
  return vim.lsp.get_clients({ bufnr = buf or 0, name = 'cert_lsp' })[1]
end

--- What the server of a buffer says of itself; nil where there is no server.
function M.status(buf)
  local client = M.client(buf)
  return client and (statuses[client.id] or { state = 'loading' })
end

--- Have a server carry out one of its commands.
---@param client vim.lsp.Client
---@param command string
---@param arguments any[]
---@param answered? fun(result: any)
function M.run(client, command, arguments, answered)
  local params = { command = command, arguments = arguments }
  client:request('workspace/executeCommand', params, function(err, result)
    if err and err.code ~= OVERTAKEN then
      M.tell(err.message, vim.log.levels.ERROR)
    elseif not err and answered then
      answered(result)
    end
  end)
end

--- All servers of this Neovim, that of the current buffer first; says so where there is none.
local function clients()
  local found = vim.lsp.get_clients({ name = 'cert_lsp' })
  local here = M.client()
  if #found == 0 then
    M.tell('no server runs; `:checkhealth cert` says why.', vim.log.levels.WARN)
  end
  table.sort(found, function(one, other)
    return one == here and other ~= here
  end)
  return found
end

--- Offer nothing until resumed, or offer again.
---@param pause boolean
function M.pause(pause)
  paused = pause
  for _, client in ipairs(clients()) do
    M.run(client, pause and 'cert.pause' or 'cert.resume', {})
  end
end

--- Load the model anew.
function M.reload()
  local client = clients()[1]
  if client then
    M.run(client, 'cert.reloadModel', {}, M.tell_status)
  end
end

--- Delete the log of what was shown, accepted and kept.
function M.forget()
  local client = clients()[1]
  if client then
    M.run(client, 'cert.clearFeedback', {}, function(result)
      M.tell(result.deleted and 'the log is deleted.' or 'there was no log.')
    end)
  end
end

--- Say how the server is.
function M.tell_status()
  local client = clients()[1]
  if client then
    M.run(client, 'cert.status', {}, function(status)
      local told = vim.tbl_filter(function(each)
        return each ~= vim.NIL
      end, { status.state, status.message, status.model, 'server ' .. status.version })
      M.tell(table.concat(told, ', '))
    end)
  end
end

--- Start the server anew.
function M.restart()
  stops = {}
  vim.lsp.enable('cert_lsp', false)
  vim.wait(5000, function()
    return #vim.lsp.get_clients({ name = 'cert_lsp' }) == 0
  end)
  vim.lsp.enable('cert_lsp')
end

--- Tell running servers what vim.lsp.config says now.
function M.tell_settings()
  for _, client in ipairs(vim.lsp.get_clients({ name = 'cert_lsp' })) do
    client.settings = vim.lsp.config.cert_lsp.settings
    client:notify('workspace/didChangeConfiguration', { settings = client.settings })
  end
end

--- Handler of cert/statusChanged.
function M.status_changed(_, status, context)
  statuses[context.client_id] = vim.tbl_map(function(value)
    return value ~= vim.NIL and value or nil
  end, status)
  vim.cmd.redrawstatus({ bang = true })
end

--- Callback of a client that was started.
function M.started(client)
  if paused then
    M.run(client, 'cert.pause', {})
  end
end

--- Callback of a client that has stopped: unless it was asked to, it is started again.
function M.stopped(code, signal, id)
  vim.schedule(function()
    statuses[id] = nil
    local asked_to = code == 0 and (signal == 0 or signal == 15)
    if asked_to or vim.v.exiting ~= vim.NIL or not vim.lsp.is_enabled('cert_lsp') then
      return
    end
    local now = os.time()
    stops = vim.tbl_filter(function(time)
      return now - time < WITHIN_SECONDS
    end, stops)
    table.insert(stops, now)
    if #stops > RESTARTS then
      M.tell(
        'the server stopped again and again, so there are no completions now. '
          .. '`:checkhealth cert` may say why; then `:Cert restart`.',
        vim.log.levels.ERROR
      )
      return
    end
    M.tell('the server stopped unexpectedly and is started again.', vim.log.levels.WARN)
    vim.lsp.enable('cert_lsp')
  end)
end

return M

-- The command :Cert; what it does is loaded when it is used.
local function server(name, ...)
  local arguments = { ... }
  return function()
    require('cert_lsp.server')[name](unpack(arguments))
  end
end

local function sketch(name)
  return function()
    require('cert_lsp.sketch')[name]()
  end
end

local commands = {
  sketch = sketch('show'),
  accept = sketch('accept'),
  next = sketch('next'),
  previous = sketch('previous'),
  pause = server('pause', true),
  resume = server('pause', false),
  restart = server('restart'),
  reload = server('reload'),
  status = server('tell_status'),
  forget = server('forget'),
}

vim.api.nvim_create_user_command('Cert', function(call)
  local command = commands[call.args]
  if command then
    command()
  else
    local names = table.concat(vim.fn.sort(vim.tbl_keys(commands)), ', ')
    vim.notify(('CERT-LSP: there is no :Cert %s, only %s.'):format(call.args, names), vim.log.levels.ERROR)
  end
end, {
  nargs = 1,
  desc = 'Sketches, and the server that writes them (:help cert-lsp-commands)',
  complete = function(begun)
    return vim.tbl_filter(function(name)
      return vim.startswith(name, begun)
    end, vim.fn.sort(vim.tbl_keys(commands)))
  end,
})

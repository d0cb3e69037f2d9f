-- `:checkhealth cert`: from the program to the key, what a completion needs.
local M = {}

local health = vim.health
local DOCTOR_MS = 120000 -- it loads the model and replays what the model answered where it was made

local function check_editor()
  health.start('Neovim')
  local version = vim.version()
  if vim.fn.has('nvim-0.11') == 0 then
    health.error(('Neovim %s is too old'):format(version), 'Install Neovim 0.11 or newer.')
    return false
  end
  local by = vim.lsp.inline_completion and 'Neovim itself' or 'this plugin'
  health.ok(('Neovim %s; ghost text is drawn by %s'):format(version, by))
  return true
end

local function check_setup()
  local key = vim.fn.maparg('<Tab>', 'i', false, true)
  if not vim.lsp.is_enabled('cert_lsp') then
    health.error('The server is not enabled, so it never starts', "Call require('cert_lsp').setup() in init.lua.")
  elseif not require('cert_lsp').is_set_up then
    health.info("Enabled without require('cert_lsp').setup(): the keys are yours to map")
  elseif not (key.desc or ''):find('suggested code') then
    health.warn('<Tab> does something else', {
      "Another plugin has mapped it later: call require('cert_lsp').setup() after it,",
      'or choose another key (:help cert-lsp-keys).',
    })
  else
    health.ok('Enabled; <Tab> accepts')
  end
end

--- The program, if it can be run.
local function check_program()
  health.start('Server')
  local command = vim.lsp.config.cert_lsp.cmd
  if type(command) ~= 'table' then
    health.info('The command is a function, so it is not looked at')
    return
  end
  local program = vim.fn.exepath(command[1])
  if program == '' then
    health.error(('%s is not on the PATH that Neovim sees: there are no completions'):format(command[1]), {
      "Install it: pip install '.[cpu]' in the repository's folder.",
      'If it is in a virtual environment, start Neovim there, or give the full path:',
      "vim.lsp.config('cert_lsp', { cmd = { '/path/to/.venv/bin/cert-lsp', 'connect' } })",
    })
    return
  end
  health.ok(('%s (%s)'):format(program, table.concat(command, ' ')))
  return program
end

local function check_doctor(program)
  local run = vim.system({ program, 'doctor', '--json' }, { text = true, timeout = DOCTOR_MS }):wait()
  local is_json, report = pcall(vim.json.decode, run.stdout)
  if not is_json then
    local said = vim.trim((run.stderr or '') .. (run.stdout or ''))
    health.error(('`%s doctor` failed with code %d: %s'):format(program, run.code, said), 'Install cert-lsp anew.')
    return
  end
  for _, check in ipairs(report.checks) do
    local tell = check.state == 'ok' and health.ok or health.error
    tell(('%s: %s'):format(check.name, check.detail))
  end
end

local function check_clients()
  health.start('Buffers')
  local clients = vim.lsp.get_clients({ name = 'cert_lsp' })
  if #clients == 0 then
    health.info('No server runs: it starts with the first Python file')
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_keys(client.attached_buffers)
    local status = require('cert_lsp.server').status(buffers[1]) or { state = 'loading' }
    local tell = status.state == 'error' and health.error or status.state == 'paused' and health.warn or health.ok
    tell(('%s, %d buffer(s)%s'):format(status.state, #buffers, status.message and ': ' .. status.message or ''))
  end
end

function M.check()
  if not check_editor() then
    return
  end
  check_setup()
  local program = check_program()
  if program then
    check_doctor(program)
  end
  check_clients()
end

return M

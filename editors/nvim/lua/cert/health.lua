-- `:checkhealth cert`, beside `:checkhealth cert_lsp`.
return require('cert_lsp.health')

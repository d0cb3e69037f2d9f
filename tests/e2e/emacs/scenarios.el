;;; scenarios.el --- What a user of eglot does, in batch -*- lexical-binding: t -*-

;; Loaded behind the recipe of docs/editors.md.  Each scenario visits a file whose last line is the
;; intent, and returns what the test in Python looks at.  No wait is without an end.

(require 'eglot)
(require 'json)

(defconst patience 60 "Seconds until a scenario gives up.")

(defun wait-for (what holds)
  "Let processes run until HOLDS returns non-nil; WHAT is told if it does not."
  (let ((deadline (+ (float-time) patience)) result)
    (while (not (setq result (funcall holds)))
      (when (> (float-time) deadline)
        (error "Waited %s s for %s" patience what))
      (accept-process-output nil 0.05))
    result))

(defun open-file (file)
  "Visit FILE, with the cursor at the end of its last line, once the server is there."
  (find-file file)
  (run-hooks 'post-command-hook)        ; eglot-ensure connects there, and in batch nobody runs it
  (wait-for "the server" #'eglot-current-server)
  (goto-char (point-max))
  (skip-chars-backward "\n"))

(defun offered ()
  "What the popup of a front end (Company, Corfu) is made of: (START END SORTED-CANDIDATES EXIT)."
  (pcase-let* ((`(,start ,end ,table . ,properties)
                (run-hook-with-args-until-success 'completion-at-point-functions))
               (before (buffer-substring start (point)))
               (metadata (completion-metadata before table nil))
               (found (completion-all-completions before table nil (length before) metadata)))
    (when found
      (setcdr (last found) nil))
    (list start end
          (funcall (completion-metadata-get metadata 'display-sort-function) found)
          (plist-get properties :exit-function))))

(defun complete ()
  "Accept the first row of the popup; how many there were."
  (pcase-let* ((shown (wait-for "the popup" (lambda () (let ((all (offered))) (and (nth 2 all) all)))))
               (`(,start ,end ,candidates ,exit) shown)
               (first (car candidates)))
    (undo-boundary)
    (delete-region start end)
    (goto-char start)
    (insert first)
    (funcall exit first 'finished)
    (undo-boundary)
    (length candidates)))

(defun saved ()
  "The bytes of the file after saving, in base64."
  (save-buffer)
  (let ((file buffer-file-name))
    (with-temp-buffer
      (set-buffer-multibyte nil)
      (insert-file-contents-literally file)
      (base64-encode-string (buffer-string) t))))

;;; The scenarios.

(defun accept-and-undo (file)
  "Complete at the end of FILE and take it back."
  (open-file file)
  (let* ((rows (complete))
         (accepted (saved)))
    (undo-only)
    (list :rows rows :accepted accepted :undone (saved))))

(defun change-settings (file)
  "Have fewer rows than by default."
  (open-file file)
  (wait-for "the popup" (lambda () (nth 2 (offered))))
  (let ((before (length (nth 2 (offered)))))
    (setq-default eglot-workspace-configuration '(:cert (:candidates 1)))
    (eglot-signal-didChangeConfiguration (eglot-current-server))
    (wait-for "fewer rows" (lambda () (= (length (nth 2 (offered))) 1)))
    (list :before before)))

(defun execute (command)
  "Have the server of this buffer run COMMAND; what it answers."
  (jsonrpc-request (eglot-current-server) :workspace/executeCommand (list :command command :arguments [])))

(defun pause-and-resume (file)
  "Pause, have Python look whether other windows go on, and resume."
  (open-file file)
  (wait-for "the popup" (lambda () (nth 2 (offered))))
  (execute "cert.pause")
  (let ((rows (length (nth 2 (offered)))))
    (send-string-to-terminal "paused\n")
    (wait-for "the other window" (lambda () (file-exists-p (concat file ".seen"))))
    (execute "cert.resume")
    (list :paused rows :resumed (complete))))

(defun lose-server (file)
  "Have Python suspend the server of FILE, ask it, have it killed, then complete with the next."
  (open-file file)
  (let ((first (eglot-current-server)))
    (wait-for "eglot to trust the connection" (lambda () (not (eglot--inhibit-autoreconnect first))))
    (send-string-to-terminal "connected\n")
    (wait-for "the server to be suspended" (lambda () (file-exists-p (concat file ".suspended"))))
    (jsonrpc-async-request first :textDocument/completion (eglot--CompletionParams)
                           :success-fn #'ignore :error-fn #'ignore)
    (send-string-to-terminal "asked\n")
    (wait-for "another server"
              (lambda ()
                (let ((server (eglot-current-server)))
                  (and server (not (eq server first)) (jsonrpc-running-p server)))))
    (list :rows (complete) :accepted (saved))))

(defun run-scenario (name file)
  "Run NAME on FILE, and print what it returns as the last line."
  (princ (json-encode (funcall (intern name) file)))
  (terpri)
  (kill-emacs))

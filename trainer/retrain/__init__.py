"""``python -m trainer retrain``: a team's repositories to a better model in service, or to a reason why not.

Stages, each in a folder of its own under --out, each done once for the same input: `corpus`, `split`, `before` (the
old model judged: what cannot be judged is told before the long part), `replay`, `train`, `export`, `after` (the new
model judged), then gate, report and publication.
"""

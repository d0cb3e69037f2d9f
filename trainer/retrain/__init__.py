"""``python -m trainer retrain``: a team's repositories to a better model in service, or to a reason why not.

Stages, each in a folder of its own under --out, each done once for the same input: `corpus`, `split`, `replay`,
`train`, `export`, `before` and `after` (the two models judged), then gate, report and publication.
"""

"""The errors that a user of CERT-LSP can meet.

    CertError
    ├── SketchError              code has no sketch (it does not parse)
    │   └── AlignError           a sketch and a code that do not belong together
    ├── PromptError              a text cannot be encoded for the model
    ├── BundleError              a model folder is missing, damaged or of another version
    ├── NeighboursError          a file of a team's intents is missing or damaged
    ├── RuntimeUnavailableError  no usable inference runtime is installed
    ├── DecodeCancelled          a newer request ended this one
    ├── ContextError             an address (file, line, column) that does not exist
    ├── ConfigError              a setting or configuration file that is not valid
    ├── CorpusError              a corpus that cannot be read or written
    ├── ExportError              a checkpoint that cannot become a bundle
    ├── EvalError                a suite or samples file that cannot be scored
    └── BenchmarkError           a recording or a peer that cannot be used

Each carries what a person needs to go on: the cause, the consequence and the remedy.
"""


class CertError(Exception):
    """Base of all errors that are shown to a user as one message, never as a traceback.

    Args:
        cause: What happened, as a sentence without its full stop.
        consequence: What does not work because of it.
        remedy: What the reader can do about it.
    """

    def __init__(self, cause: str, consequence: str = "", remedy: str = "") -> None:
        super().__init__(cause, consequence, remedy)
        self.cause = cause
        self.consequence = consequence
        self.remedy = remedy

    def __str__(self) -> str:
        parts = (part.strip().rstrip(".") for part in (self.cause, self.consequence, self.remedy))
        return "; ".join(part for part in parts if part) + "."


class SketchError(CertError):
    """The code does not parse, so it has no sketch."""


class AlignError(SketchError):
    """The sketch is not the sketch of this code."""


class PromptError(CertError):
    """A text or a tokenizer that cannot be turned into model input."""


class BundleError(CertError):
    """A model folder that is missing, damaged, or made for other versions of the contract."""


class NeighboursError(CertError):
    """A file of a team's intents that is missing, damaged or something else."""


class RuntimeUnavailableError(CertError):
    """ONNX Runtime is missing or cannot load the model."""


class DecodeCancelled(CertError):
    """The request was cancelled between two tokens."""


class ContextError(CertError):
    """A file, line or column that does not exist or cannot be read."""


class ConfigError(CertError):
    """Settings or a configuration file that are not valid."""


class CorpusError(CertError):
    """A source that cannot be read, or a corpus that cannot be written."""


class ExportError(CertError):
    """A checkpoint that cannot be turned into a bundle that agrees with it."""


class EvalError(CertError):
    """A suite or a samples file that cannot be run or scored."""


class BenchmarkError(CertError):
    """A recording that cannot be played, or a peer that cannot be measured."""

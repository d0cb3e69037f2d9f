"""What the server knows beside the model; each is a switch, for evaluation alone.

Filters look at each token of an answer: none comes that no Python could follow (`syntax_filter`), that names API which
does not exist (`api_filter`), a name that nothing binds (`name_filter`) or a column that its frame does not have
(`column_filter`). Answers whose API exists go first (`api_order`), and what has a successor is put into new words
(`successors`). Where several are asked for, one more is written without a sketch (`both_ways`).
"""

from collections.abc import Callable, Collection

from cert_lsp.engine.api_filter import ApiFilter
from cert_lsp.engine.column_filter import ColumnFilter
from cert_lsp.engine.context import Context
from cert_lsp.engine.name_filter import NameFilter
from cert_lsp.engine.syntax_filter import SyntaxFilter

KNOWLEDGE = frozenset(
    {"api_filter", "api_order", "both_ways", "column_filter", "name_filter", "successors", "syntax_filter"}
)


def judge_of(context: Context, api: ApiFilter, knows: Collection[str]) -> Callable[[str, int], bool]:
    """Return what says of an answer, and its length without its last token, whether that token may come.

    Args:
        context: What is asked for.
        api: Which API may be written there.
        knows: The switches that are on, of `KNOWLEDGE`.
    """
    judges: list[Callable[[str, int], bool]] = []
    if "api_filter" in knows:
        judges.append(api.allows)
    if "name_filter" in knows:
        judges.append(NameFilter.of(context, api.keywords_at).allows)
    if "column_filter" in knows:
        judges.append(ColumnFilter.of(context).allows)
    if "syntax_filter" in knows:
        judges.append(SyntaxFilter.of(context).allows)
    return lambda answer, since: all(judge(answer, since) for judge in judges)

"""``cert-lsp models``: what is in the model store, and which of it is in service."""

import sys
import time
from argparse import Namespace

from cert_lsp.cli.output import write_json
from cert_lsp.store import EMBEDDED_NAME, Store, describe


def run(arguments: Namespace) -> int:
    """Run one action on the store, then tell what is in it.

    Raises:
        BundleError: The version does not exist, fails verification, or the store cannot be written.
    """
    store, gone = Store(arguments.store), list[str]()
    if arguments.action == "use":
        store.use(arguments.name)
    elif arguments.action == "rollback":
        store.rollback()
    elif arguments.action == "publish":
        store.publish(arguments.bundle)
    elif arguments.action == "prune":
        gone = [version.name for version in store.prune(arguments.keep)]
    current = store.current()
    name = current.name if current else EMBEDDED_NAME
    versions = store.versions()
    if arguments.json:
        found = [{"name": each.name, "published": each.published, "bytes": each.bytes} for each in versions]
        write_json({"store": str(store.folder), "current": name, "versions": found, "deleted": gone})
        return 0
    lines = [f"deleted {each}" for each in gone]
    lines.append(f"{'*' if name == EMBEDDED_NAME else ' '} {EMBEDDED_NAME}  the one that comes with the package")
    for each in versions:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.published))
        mark = "*" if each.name == name else " "
        lines.append(f"{mark} {each.name}  {when}, {each.bytes / 1e6:.0f} MB, {describe(each.folder)}")
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0

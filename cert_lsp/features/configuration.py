"""``initialize``, and everything that sets settings: options, the client's configuration, its workspace folders.

`initializationOptions` are the ground. A client that can be asked is asked for the section ``cert``, once for all and
once for each workspace folder; from others the settings come with ``workspace/didChangeConfiguration``.
"""

import asyncio
import logging
from typing import Any, cast
from uuid import uuid4

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from cert_lsp.features.following import follow_store
from cert_lsp.features.service import put_in_service
from cert_lsp.features.status import PATIENCE, show
from cert_lsp.protocol import CertServer
from cert_lsp.settings import parse_settings

logger = logging.getLogger(__name__)

SECTION = "cert"


def initialize(ls: CertServer, params: types.InitializeParams) -> None:
    """Take the options and the position encoding; the reply goes out at once."""
    session = ls.session
    session.encoding = str(getattr(ls.workspace.position_encoding, "value", ls.workspace.position_encoding))
    session.initial, session.problems = parse_settings(params.initialization_options, session.initial)
    session.settings = session.initial


async def initialized(ls: CertServer, params: types.InitializedParams) -> None:
    """Ask for the configuration, then load the model, once. Requests that come meanwhile wait for both."""
    if ls.session.begun:
        return
    ls.session.begun = True
    await _ask(ls)
    await asyncio.gather(_register(ls), put_in_service(ls))
    ls.attend(follow_store(ls))


async def configuration_changed(ls: CertServer, params: types.DidChangeConfigurationParams) -> None:
    """Take changed settings: those sent along from a client that cannot be asked."""
    if _can_be_asked(ls):
        await _ask(ls)
    else:
        sent = params.settings
        _take(ls, [cast("dict[str, object]", sent).get(SECTION)] if isinstance(sent, dict) else [None], [])
    await put_in_service(ls)


async def folders_changed(ls: CertServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Ask for the settings of the folders that there are now."""
    await _ask(ls)
    await put_in_service(ls)


def _can_be_asked(ls: CertServer) -> bool:
    workspace = ls.client_capabilities.workspace
    return bool(workspace and workspace.configuration)


async def _ask(ls: CertServer) -> None:
    """Ask the client for its configuration, if it can be asked; without an answer everything stays as it is."""
    session = ls.session
    if not _can_be_asked(ls):
        _tell_problems(ls)
        return
    folders = list(ls.workspace.folders)
    scopes = [None, *folders]
    items = [types.ConfigurationItem(scope_uri=scope, section=SECTION) for scope in scopes]
    session.questions += 1
    number = session.questions
    try:
        question = ls.workspace_configuration_async(types.ConfigurationParams(items))
        answers = list(await asyncio.wait_for(question, PATIENCE))
    except (JsonRpcException, TimeoutError):
        logger.warning("the client did not tell its configuration")
        answers = []
    if number == session.questions:  # else a newer question is on its way, and its answer counts
        if len(answers) == len(scopes):
            _take(ls, [_plain(answer) for answer in answers], folders)
        _tell_problems(ls)


def _take(ls: CertServer, answers: list[object], folders: list[str]) -> None:
    """Take the answers for the whole workspace and for each folder."""
    session = ls.session
    parsed = [parse_settings(answer, session.initial) for answer in answers]
    session.settings = parsed[0][0]
    session.folders = {folder.rstrip("/"): settings for folder, (settings, _) in zip(folders, parsed[1:], strict=True)}
    session.problems = [problem for _, problems in parsed for problem in problems]
    _tell_problems(ls)


def _tell_problems(ls: CertServer) -> None:
    """Show the problems that the user has not seen yet, in one message."""
    session = ls.session
    if new := [problem for problem in dict.fromkeys(session.problems) if problem not in session.told]:
        show(ls, types.MessageType.Warning, " ".join(new))
    session.told = set(session.problems)


async def _register(ls: CertServer) -> None:
    """Ask a client that registers dynamically to tell of changes under ``cert``."""
    workspace = ls.client_capabilities.workspace
    changes = workspace and workspace.did_change_configuration
    if not (changes and changes.dynamic_registration):
        return
    options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
    registration = types.Registration(str(uuid4()), types.WORKSPACE_DID_CHANGE_CONFIGURATION, options)
    try:
        register = ls.client_register_capability_async(types.RegistrationParams([registration]))
        await asyncio.wait_for(register, PATIENCE)
    except (JsonRpcException, TimeoutError):
        logger.warning("the client did not register for changes of its configuration")


def _plain(value: Any) -> object:
    """Turn what pygls makes of an object in a client's result, a named tuple, into a dictionary again."""
    return cast("object", value._asdict()) if hasattr(value, "_asdict") else value

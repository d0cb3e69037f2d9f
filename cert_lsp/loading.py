"""Models in service: loaded once for all who want the same one, each with a thread of its own.

A `Model` is loaded, asked and exchanged in its thread, so that requests queue behind its loading and a reloaded one
takes its place between two of them. `Models` counts who uses which; a model that nobody uses any more is let go.
Where the settings name no model, the one that the store has in service is meant, or the newest before it that loads.

All methods belong to the event loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cert_lsp.contract.bundle import verify
from cert_lsp.errors import BundleError, CertError, RuntimeUnavailableError
from cert_lsp.store import Store

if TYPE_CHECKING:
    from cert_lsp.engine.pipeline import Engine
    from cert_lsp.settings import Settings

logger = logging.getLogger(__name__)


class Model:
    """A model in service.

    Args:
        settings: Which one, and where it runs.
        open_engine: Loads it.

    Attributes:
        choice: What the settings say of it (`Settings.choice`).
        thread: Runs whatever uses the engine, one call at a time.
        engine: What answers; None until it is loaded, and when that failed.
        failure: Why there is no engine.
        folder: Where the engine was loaded from; None is the embedded bundle.
        refused: Why models of the store were passed over, a sentence for each.
        users: How many sessions use it.
    """

    def __init__(self, settings: Settings, open_engine: Callable[[Settings], Engine]) -> None:
        self.choice = settings.choice
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="cert-model")
        self.engine: Engine | None = None
        self.failure: CertError | None = None
        self.folder: Path | None = None
        self.refused: list[str] = []
        self.users = 0
        self._settings, self._open_engine = settings, open_engine
        self._exchange = asyncio.Lock()
        self._loading = self.thread.submit(self._load)

    async def loaded(self) -> None:
        """Wait until `engine` or `failure` is there."""
        await asyncio.shield(asyncio.wrap_future(self._loading))

    async def reload(self) -> None:
        """Load it anew; whoever uses it has the new one from the next request on, the old one until then.

        Raises:
            CertError: It could not be loaded; what was there before stays.
        """
        await self.loaded()
        async with self._exchange:
            await self._load_beside(self.folder)

    async def follow(self) -> bool:
        """Exchange it for the one that the store has in service now; whether it was another.

        Raises:
            CertError: That one is damaged or could not be loaded; what was there before stays.
        """
        await self.loaded()
        async with self._exchange:  # all connections that share this model follow the store
            folder = Store().current()
            if self.choice[0] is not None or (folder == self.folder and self.engine):
                return False
            await self._load_beside(folder, check=True)
            return True

    async def _load_beside(self, folder: Path | None, *, check: bool = False) -> None:
        beside = ThreadPoolExecutor(1, thread_name_prefix="cert-loader")
        try:
            engine = await asyncio.get_running_loop().run_in_executor(beside, self._opened, folder, check)
        finally:
            beside.shutdown(wait=False)  # whoever is cancelled here must not wait for a model to load
        if self.users:
            await asyncio.get_running_loop().run_in_executor(self.thread, self._take, engine, folder)

    def _load(self) -> None:
        """Load the model that the settings name, or the first in the store's order that can be loaded."""
        failures: list[CertError] = []
        for folder in self._in_order():
            try:
                self._take(self._opened(folder), folder)
                break
            except CertError as error:
                failures.append(error)
        else:
            self.failure = failures.pop()
        self.refused += [str(failure) for failure in failures]

    def _in_order(self) -> list[Path | None]:
        if self._settings.model:
            return [self._settings.model]
        try:
            return Store().in_order()
        except BundleError as error:
            self.refused.append(str(error))
            return [None]

    def _take(self, engine: Engine, folder: Path | None) -> None:
        self.engine, self.failure, self.folder = engine, None, folder

    def _opened(self, folder: Path | None, check: bool = False) -> Engine:
        try:
            if folder and check:
                verify(folder)
            return self._open_engine(replace(self._settings, model=folder))
        except CertError:
            raise
        except Exception as error:
            logger.exception("the model could not be loaded")
            raise RuntimeUnavailableError(
                f"The model could not be loaded ({type(error).__name__}: {error})",
                "there will be no completions",
                "run `cert-lsp doctor` to see what is wrong",
            ) from error


class Models:
    """The models in service, by what the settings say of them.

    Args:
        open_engine: Loads the model that the settings name; runs in a model's thread.
    """

    def __init__(self, open_engine: Callable[[Settings], Engine]) -> None:
        self._open_engine = open_engine
        self._models: dict[object, Model] = {}

    def take(self, settings: Settings) -> Model:
        """Get the model that the settings name; it begins to load if nobody has it, or if it could not be loaded."""
        model = self._models.get(settings.choice)
        if model is None or model.failure:
            model = self._models[settings.choice] = Model(settings, self._open_engine)
        model.users += 1
        return model

    def release(self, model: Model) -> None:
        """Use a model no more; the last user's leaving ends its thread and frees its memory."""
        model.users -= 1
        if not model.users:
            model.thread.shutdown(wait=False, cancel_futures=True)
            if self._models.get(model.choice) is model:
                del self._models[model.choice]

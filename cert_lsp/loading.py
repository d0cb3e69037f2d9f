"""Models in service: loaded once for all who want the same one, each with a thread of its own.

A `Model` is loaded, asked and exchanged in its thread, so that requests queue behind its loading and a reloaded one
takes its place between two of them. `Models` counts who uses which; a model that nobody uses any more is let go.

All methods belong to the event loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cert_lsp.errors import CertError, RuntimeUnavailableError

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
        users: How many sessions use it.
    """

    def __init__(self, settings: Settings, open_engine: Callable[[Settings], Engine]) -> None:
        self.choice = settings.choice
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="cert-model")
        self.engine: Engine | None = None
        self.failure: CertError | None = None
        self.users = 0
        self._open = lambda: open_engine(settings)
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
        with ThreadPoolExecutor(1, thread_name_prefix="cert-loader") as beside:
            engine = await asyncio.get_running_loop().run_in_executor(beside, self._opened)
        if self.users:
            await asyncio.get_running_loop().run_in_executor(self.thread, self._take, engine)

    def _load(self) -> None:
        try:
            self.engine = self._opened()
        except CertError as error:
            self.failure = error

    def _take(self, engine: Engine) -> None:
        self.engine, self.failure = engine, None

    def _opened(self) -> Engine:
        try:
            return self._open()
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

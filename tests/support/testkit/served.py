"""The service as others reach it: over a real socket, with its jobs worked off, in the process of the test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from ringfence.apps.web.crew import Crew, working
from ringfence.apps.web.door import open_web_door
from ringfence.apps.web.listening import listen
from ringfence.apps.web.service import Service
from ringfence.apps.web.serving import STORE_S, answering
from ringfence.apps.wiring import Wiring
from ringfence.core.model.roles import Role
from ringfence.core.state.tokens import add_token

WAIT_S = 30


@dataclass
class RunningService:
    """A service that answers at ``url``; ``tokens`` has one token for each role, by the role's name."""

    service: Service
    url: str
    tokens: Mapping[str, str]
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, *, role: str | None = None, **options: Any) -> requests.Response:
        """Send a request, with the token of a role where one is named."""
        headers = dict(options.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return self.session.request(method, self.url + path, headers=headers, timeout=WAIT_S, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.call("POST", path, **options)


@contextmanager
def running_service(wiring: Wiring, *, works: bool = True, **settings: Any) -> Iterator[RunningService]:
    """Serve the wiring's state store on a free port for the block; ``settings`` are of `RINGFENCE_SERVE__*`.

    With ``works`` its jobs are carried out too.
    """
    serve = wiring.settings.serve.model_copy(update=settings)
    wiring = replace(wiring, settings=replace(wiring.settings, serve=serve))
    crew = Crew(wiring, 4, lambda _line: None)
    with closing(wiring.open_state()) as store, closing(requests.Session()) as session:
        store.patience_s = STORE_S
        listener = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        service = Service(
            wiring, store, wiring.open_jobs(store), open_web_door(), port=port, is_working=crew.is_working
        )
        tokens = {}
        with store.transaction() as connection:
            for role in Role:
                tokens[role.value] = add_token(connection, f"test-{role}", role, "test", wiring.clock.now())
        with working(crew) if works else nullcontext(), answering(service, listener):
            yield RunningService(service, f"http://127.0.0.1:{port}", tokens, session)

"""Routes that take a file: what its head says is checked, the file comes to the disk, the book notes it."""

import falcon
from msgspec import structs

from tradebook.crud.resource import Action
from tradebook.errors import ApiError, OutcomeInDoubt
from tradebook.storage.database import OutcomeUnknown
from tradebook.web.changing import NO_MORE, Asked, Changing, More, granted
from tradebook.web.query_string import parse_query_string
from tradebook.web.replays import REPLAYED, replay_of
from tradebook.web.service import Service
from tradebook.web.uploads import RECEIVED, Received, media_type, require_type

FORM_BYTES_MAX = 2_097_152
"""How much more than its file a form may have: the text beside it, and what stands between its parts."""


class Uploading(Changing):
    """Answers an action that takes a file."""

    def __init__(self, service: Service, action: Action, more: More = NO_MORE) -> None:
        super().__init__(service, action, more)
        assert action.upload is not None
        self._kind = action.upload

    def answer(self, request: falcon.Request, response: falcon.Response, **path: str) -> None:
        """Take the file and answer with what was begun with it."""
        service, action = self._service, self._action
        grant = granted(service, request, action)
        # All that can be refused before the file is refused before it.
        require_type(request, self._kind)
        self._parser.values(parse_query_string(request.env.get("QUERY_STRING", "")))
        received = service.uploads.take(request, grant.account_id, self._kind)
        try:
            replay = replay_of(
                request,
                received.digest,
                has_secret=False,
                content_type=media_type(request.content_type or ""),
            )
            asked = self._asked_with(request, grant.account_id, received, path)
            try:
                answer = self.changed(request, grant, replay, asked)
            except (OutcomeInDoubt, OutcomeUnknown):
                # The row may be there. If it is not, the file is swept.
                received.keep()
                raise
            if REPLAYED not in answer.headers and answer.status < 300:
                received.keep()
        finally:
            if RECEIVED not in request.env:
                # Else whoever has waited for it lets go of it, once the row that names it is committed.
                received.close()
        answer.send(response)

    def _asked_with(
        self, request: falcon.Request, account_id: int, received: Received, path: dict[str, str]
    ) -> Asked:
        asked = self.asked(request, account_id, b"", path)
        refusal, check = asked.refusal, self._more.check
        if refusal is None and check is not None:
            try:
                check(asked.parameters, received.uploaded)
            except ApiError as error:
                refusal = error
        return structs.replace(asked, uploaded=received.uploaded, refusal=refusal)

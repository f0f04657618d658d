"""Routes that change the book: authenticate, parse, change, shape, answer, all in one transaction."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

import falcon
import msgspec

from tradebook.crud.change import UNCONDITIONAL, Change, Conditions, Told, require_changeable, require_missing
from tradebook.crud.grant import Grant
from tradebook.crud.list_requests import RequestParser
from tradebook.crud.records import Values
from tradebook.crud.resource import Act, Action, Deleted, View, path_of_new, rows_in_path
from tradebook.crud.uploads import Uploaded
from tradebook.errors import ApiError, InsufficientPermissions, OutcomeInDoubt, UnsupportedMediaType
from tradebook.ids import encode_id
from tradebook.storage.database import Database, OutcomeUnknown, Reader, Unavailable, Writer
from tradebook.storage.transactions import reading, writing
from tradebook.web.account_header import Named, named_owner
from tradebook.web.auth import Look, as_known, no_look
from tradebook.web.envelope import SECRET_HEADERS, Answer, error_answer
from tradebook.web.paths import keys_in_path
from tradebook.web.query_string import page_url, parse_query_string
from tradebook.web.replays import KEPT_BYTES_MAX, NOT_IDEMPOTENT, Again, Replay, Shown, replay_of
from tradebook.web.service import ACCOUNT_PREFIX, Service
from tradebook.web.tags import IF_MATCH, IF_NONE_MATCH, etag_of, expected_versions, is_only_new


class _Replayed(Exception):
    """The request was answered before: end the transaction, there is nothing to do."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class More(NamedTuple):
    """What another room knows of an action."""

    check: Callable[[Values, Uploaded], None] | None = None
    """Looks at the parameters, and at what came with a file."""
    look: Callable[[Database, int, Sequence[Any]], None] | None = None
    """Looks at the account, by the keys of the path, before the transaction: for what takes long."""
    act: Act | None = None
    """Takes the place of the declared act."""


NO_MORE = More()


class Changing:
    """Answers one declared action."""

    def __init__(self, service: Service, action: Action, more: More = NO_MORE) -> None:
        self._service = service
        self._action = action
        self._more = more
        self._parser = RequestParser(action)
        self._page_url = partial(page_url, service.cursors)

    def answer(self, request: falcon.Request, response: falcon.Response, **path: str) -> None:
        """Change the book and answer with the object after the change."""
        service, action = self._service, self._action
        try:
            # Whether a key that is known is still good is asked for in the transaction.
            grant = granted(service, request, action, as_known)
            raw = service.bodies.read(request)
            replay = replay_of(request, sha256(raw).hexdigest(), has_secret=action.has_secret)
            answer = self.changed(request, grant, replay, self.asked(request, grant.account_id, raw, path))
        except OutcomeInDoubt:
            # The key was looked at in the transaction, and the database may be away for longer.
            raise
        except ApiError:
            # What is wrong is told to nobody whose key is not.
            service.authenticator.confirm(request)
            raise
        answer.send(response)

    def changed(self, request: falcon.Request, grant: Grant, replay: Replay | None, asked: "Asked") -> Answer:
        """Change the book in one transaction, and return the answer; that of before, if there was one."""
        service, look = self._service, self._more.look
        if look is not None and asked.refusal is None:
            try:
                look(service.database, grant.account_id, asked.path_keys)
            except ApiError as refusal:
                asked = msgspec.structs.replace(asked, refusal=refusal)
        if replay is None and asked.refusal is not None:
            # There is nothing to store, so there is no reason to wait for another writer.
            raise asked.refusal

        def work(writer: Writer) -> Answer:
            return self._in_transaction(writer, grant, replay, asked)

        try:
            with service.twins.alone(grant.account_id, None if replay is None else replay.key):
                answer = writing(service.database, grant.account_id, work)
        except _Replayed as replayed:
            answer = replayed.answer
        except OutcomeUnknown as doubt:
            try:
                found = self._settled(request, grant, replay, asked)
            except Unavailable:
                # As long as it is away, nobody can tell.
                raise doubt from None
            if found is None:
                raise
            answer = found
        return answer

    def _in_transaction(self, writer: Writer, grant: Grant, replay: Replay | None, asked: "Asked") -> Answer:
        if replay is not None:
            replay.foresee(writer)
        if self._action.foresee is not None:
            self._action.foresee(writer, asked.values)
        # Again: since the head of the request was read, the key may have been revoked.
        grant = self._service.authenticator.standing(writer, grant)
        _require_permission(grant, self._action)
        found = None if replay is None else replay.find(writer, partial(self._shown, asked))
        if found is not None:
            raise _Replayed(found)
        result = None
        try:
            # A failure that is not stored undoes all of it.
            with nullcontext() if replay is None else writer.savepoint():
                answer, result = self._done(writer, grant, asked)
        except ApiError as error:
            # Store a failure that would come again. Not a missing permission: another API key, or this
            # one with more permissions, may succeed.
            if replay is None or error.is_transient or isinstance(error, InsufficientPermissions):
                raise
            answer = error_answer(error)
        if replay is not None:
            replay.keep(writer, answer, self._again(writer, answer, result))
        return answer

    def _settled(
        self, request: falcon.Request, grant: Grant, replay: Replay | None, asked: "Asked"
    ) -> Answer | None:
        """Find out whether the change was done, and return its stored answer; None if nothing was done."""
        if replay is not None:
            find = partial(replay.find, anew=partial(self._shown, asked))
            return reading(self._service.database, grant.account_id, find)
        if request.method in NOT_IDEMPOTENT:
            raise OutcomeInDoubt(
                "The database was lost, or failed, during the commit, so this may be done or not. Look "
                "before you send it again. With an Idempotency-Key you could send it again at once."
            )
        return None

    def asked(self, request: falcon.Request, account_id: int, raw: bytes, path: dict[str, str]) -> "Asked":
        """Read the request. Its error is not raised yet: it may have to be stored, in a transaction."""
        action = self._action
        try:
            if raw:
                require_json(request)
            pairs = parse_query_string(request.env.get("QUERY_STRING", ""))
            return Asked(
                path_keys=keys_in_path(action.path_objects, path),
                named=named_owner(request, action.owner, account_id),
                include=self._parser.include(pairs),
                parameters=self._parser.values(pairs),
                values=action.body.read(raw),
                conditions=_conditions(request, action),
            )
        except ApiError as refusal:
            return Asked(refusal=refusal)

    def _done(self, writer: Writer, grant: Grant, asked: "Asked") -> tuple[Answer, Any]:
        """Do what is asked; returns the answer, and what the action has returned."""
        action = self._action
        if asked.refusal is not None:
            raise asked.refusal
        step = (
            self._step(writer, asked)
            if action.or_creates is None
            else self._step_of_put(writer, grant, asked)
        )
        change = Change(
            writer=writer,
            grant=grant,
            path_keys=step.path_keys,
            row=step.row,
            outer_row=step.outer_row,
            values=step.values,
            parameters=asked.parameters,
            uploaded=asked.uploaded,
            owner_key=None if asked.named is None else asked.named.key,
            answer_bytes_max=self._service.answer_bytes_max,
        )
        result = step.act(change)
        if action.deletes is not None:
            return self._deleted(asked, result), None
        headers = SECRET_HEADERS if action.has_secret else ()
        if isinstance(result, int):
            # Values derived from the account before the change are out of date.
            writer.cache.clear()
            shown = self._shown(asked, writer, result)
            assert shown is not None
        elif isinstance(result, Told):
            writer.cache.clear()
            found = self._shown(asked, writer, result.key)
            assert found is not None
            shown = found.telling(msgspec.json.encode(result.more))
        else:
            body = msgspec.json.encode(result)
            shown = Shown(body, etag_of(result, body))
        if step.new_at is not None:
            headers = (*headers, ("Location", step.new_at(result)))
        status = 200 if step.new_at is None else 201 if action.upload is None else 202
        return Answer(status, shown.body, (*headers, ("ETag", shown.etag))), result

    def _deleted(self, asked: "Asked", told: Any) -> Answer:
        """Say that what the path ends in is deleted, and what is told besides."""
        assert self._action.deletes is not None
        deleted = encode_id(self._action.path_objects[-1].id_prefix, asked.path_keys[-1])
        shown = Shown(msgspec.json.encode(Deleted(deleted, self._action.deletes, deleted=True)), "")
        return Answer(200, (shown if told is None else shown.telling(msgspec.json.encode(told))).body)

    def _step(self, writer: Writer, asked: "Asked") -> "_Step":
        """Find what the action is about."""
        action = self._action
        if asked.named is not None:
            asked.named.require(writer, action, asked.path_keys)
        rows = rows_in_path(action.path_objects, writer, asked.path_keys)
        outer_row, row = [{}, {}, *rows][-2:]
        if action.changes_object:
            require_changeable(row, asked.conditions)
        return _Step(action.act, asked.path_keys, row, asked.values, self._new_at(asked), outer_row)

    def _new_at(self, asked: "Asked") -> Callable[[Any], str] | None:
        """Tell how the path of what the action makes is written; None if it makes nothing."""
        action = self._action
        if action.creates is None:
            return None
        prefix = action.creates.id_prefix

        def path(result: Any) -> str:
            new = encode_id(prefix, result) if isinstance(result, int) else result.id
            return path_of_new(action, asked.path_keys, new)

        return path

    def _step_of_put(self, writer: Writer, grant: Grant, asked: "Asked") -> "_Step":
        """Find what a PUT changes, or else have it create that."""
        action, (name,), values = self._action, asked.path_keys, asked.values
        (path_object,), creation = action.path_objects, action.or_creates
        assert creation is not None
        assert path_object.by is not None
        said = path_object.by.said(name, values)
        row = path_object.find(writer, name)
        if row is not None:
            grant.require(*action.permissions)
            require_changeable(row, asked.conditions)
            return _Step(action.act, (row["id"],), row, values)
        grant.require(creation.permission)
        require_missing(asked.conditions)
        whole = action.body.completed(said)
        prefix = path_object.id_prefix
        return _Step(creation.act, (), {}, whole, lambda new: f"{creation.path}/{encode_id(prefix, new)}")

    def _again(self, writer: Writer, answer: Answer, result: Any) -> Again | None:
        """Tell how an answer that is too large to be stored is made anew."""
        if answer.body is None or len(answer.body) <= KEPT_BYTES_MAX:
            return None
        if isinstance(result, int):
            return Again(result, self._plain(writer, result))
        if isinstance(result, Told):
            return Again(result.key, self._plain(writer, result.key), msgspec.json.encode(result.more))
        return Again() if isinstance(result, self._action.previews) else None

    def _shown(self, asked: "Asked", reader: Reader, key: int) -> Shown | None:
        """Make the JSON of an object as it is now; None if it is gone."""
        assert self._action.load is not None
        view = View(reader, asked.include, self._page_url, self._service.answer_bytes_max)
        found = self._action.load(view, [key]).get(key)
        if found is None:
            return None
        body = msgspec.json.encode(found)
        return Shown(body, etag_of(found, body))

    def _plain(self, reader: Reader, key: int) -> bytes:
        """Make the JSON of an object without anything that may be included, which is small."""
        shown = self._shown(Asked(), reader, key)
        assert shown is not None
        return shown.body


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks for, or why that can't be read."""

    path_keys: tuple[Any, ...] = ()
    include: frozenset[str] = frozenset()
    parameters: dict[str, Any] = {}
    uploaded: Uploaded | None = None
    values: dict[str, Any] = {}
    conditions: Conditions = UNCONDITIONAL
    named: Named | None = None
    refusal: ApiError | None = None


class _Step(msgspec.Struct, frozen=True):
    """What is to be done, and with what."""

    act: Act
    path_keys: tuple[int, ...]
    row: Values
    values: Values
    new_at: Callable[[Any], str] | None = None
    """Writes the path of what it makes, from what the act has returned; None if it makes nothing."""
    outer_row: Values = {}


def granted(service: Service, request: falcon.Request, action: Action, look: Look = no_look) -> Grant:
    """Return what the key of a request opens; refuse one that may not do this."""
    grant, _ = service.authenticator.grant(request, look)
    request.context.account = encode_id(ACCOUNT_PREFIX, grant.account_id)
    _require_permission(grant, action)
    return grant


def _require_permission(grant: Grant, action: Action) -> None:
    """Refuse who may not do this; of a PUT, who may do neither of what it may turn out to be."""
    creation = action.or_creates
    if creation is None or creation.permission not in grant.permissions:
        grant.require(*action.permissions)


def _conditions(request: falcon.Request, action: Action) -> Conditions:
    if not action.changes_object:
        return UNCONDITIONAL
    if_match = request.get_header(IF_MATCH)
    only_new = action.or_creates is not None and is_only_new(request.get_header(IF_NONE_MATCH))
    return Conditions(expected_versions(if_match), must_exist=if_match is not None, must_be_new=only_new)


def require_json(request: falcon.Request) -> None:
    """Refuse a body whose headers say that it is not JSON in UTF-8; without such headers it may be."""
    kind, _, options = (request.content_type or falcon.MEDIA_JSON).lower().partition(";")
    kind = kind.strip()
    if kind != falcon.MEDIA_JSON and not kind.endswith("+json"):
        raise UnsupportedMediaType("The body must be JSON: send Content-Type: application/json.")
    charset = options.replace(" ", "").replace('"', "").partition("charset=")[2].partition(";")[0]
    if charset not in {"", "utf-8", "utf8"}:
        raise UnsupportedMediaType("The body must be UTF-8: leave charset out of Content-Type.")
    if request.get_header("Content-Encoding", default="identity").strip().lower() != "identity":
        raise UnsupportedMediaType("The body must not be compressed: leave Content-Encoding out.")

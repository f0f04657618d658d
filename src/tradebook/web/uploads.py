"""Files as bodies: written to the disk as they come, however large, in memory that stays the same.

A client may send as slowly as its line is, but no slower than a least rate.
What is cut leaves nothing behind.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b

import falcon
from falcon.util import mediatypes

from tradebook.crud.uploads import FileBody, Uploaded
from tradebook.errors import (
    ApiError,
    PayloadTooLarge,
    RequestTimeout,
    ServiceUnavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from tradebook.storage.upload_files import NewUpload, UploadFolder
from tradebook.web.bodies import Arriving, drain, length_of, require_few, require_whole
from tradebook.web.forms import MULTIPART, Form, boundary_of
from tradebook.web.heads import Environ
from tradebook.web.log import log
from tradebook.web.under_way import UnderWay

WANTED, RECEIVED = "tradebook.upload_wanted", "tradebook.upload"
"""Where the environment holds how a file is received, and the file once it is there."""

RATE_BYTES_MIN = 32_768
"""How many bytes a second must come in the mean, besides the time that every body has."""

WRITTEN_AT_ONCE = 262_144
"""How much is gathered before a thread writes it: one step of the thread for several of the loop."""


class Received:
    """A file that has come as a whole."""

    def __init__(self, file: NewUpload, uploaded: Uploaded, digest: str, leave: Callable[[], object]) -> None:
        self.uploaded, self.digest = uploaded, digest
        self._file: NewUpload | None = file
        self._leave = leave

    def keep(self) -> None:
        """Leave it on the disk: the book names it, or may do so."""
        assert self._file is not None
        self._file.keep()

    def close(self) -> None:
        """Let go of it, also twice; if it is not kept, it goes."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._leave()


class Receiver:
    """Takes the pieces of one file. Its errors are the client's, but for a disk that can't take more."""

    def __init__(
        self,
        file: NewUpload,
        kind: FileBody,
        content_type: str,
        *,
        bytes_max: int,
        text_bytes_max: int,
        leave: Callable[[], object],
    ) -> None:
        self._file, self._kind, self._bytes_max, self._leave = file, kind, bytes_max, leave
        self._digest = blake2b(digest_size=32)
        self._format = self._charset = self._file_name = None  # type: str | None
        self._form = None
        if media_type(content_type) == MULTIPART:
            self._form = Form(
                boundary_of(content_type), kind.text_part, text_bytes_max, self._begin, self._write
            )
        else:
            self._begin(content_type, None)

    def feed(self, piece: bytes) -> None:
        """Write the next piece."""
        with _on_a_disk():
            (self._write if self._form is None else self._form.feed)(piece)

    def end(self) -> Received:
        """Have it all on the disk."""
        text = None if self._form is None else self._form.end()
        if not self._file.size:
            raise ValidationFailed("The file is empty.", param=None if self._form is None else "file")
        with _on_a_disk():
            self._file.settle()
        self._digest.update(repr((text, self._file_name)).encode())
        assert self._format is not None
        uploaded = Uploaded(
            self._file.name, self._file.size, self._format, self._charset, self._file_name, text
        )
        return Received(self._file, uploaded, self._digest.hexdigest(), self._leave)

    def drop(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        self._leave()

    def _begin(self, content_type: str, file_name: str | None) -> None:
        self._format = self._kind.format_of(media_type(content_type), file_name)
        if self._format is None:
            raise _unsupported(self._kind, content_type if file_name is None else file_name)
        self._charset = _charset_of(content_type)
        self._file_name = None if file_name is None else file_name[-255:]

    def _write(self, piece: bytes) -> None:
        if self._file.size + len(piece) > self._bytes_max:
            raise PayloadTooLarge(f"The file is over {self._bytes_max} bytes.")
        self._digest.update(piece)
        self._file.write(piece)


class Uploads:
    """Receives files, a bounded number at a time."""

    def __init__(
        self,
        folder: UploadFolder,
        *,
        bytes_max: int,
        text_bytes_max: int,
        seconds_max: float,
        of_account_max: int,
    ) -> None:
        self.bytes_max = bytes_max
        self._folder, self._text_bytes_max, self._seconds_max = folder, text_bytes_max, seconds_max
        self._under_way = UnderWay("uploads", of_account_max)
        self._waits: set[asyncio.Timeout] = set()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="upload")

    def take(self, request: falcon.Request, account_id: int, kind: FileBody) -> Received:
        """Return the file that the body is; BodyWanted while it is not there.

        What its headers say is looked at first, so that nobody sends a file for nothing.
        """
        env = request.env
        found: Received | None = env.get(RECEIVED)
        if found is not None:
            return found
        content_type = request.content_type or ""
        require_type(request, kind)
        begin = env[WANTED] = partial(self._begin, account_id, kind, content_type)
        body = env["wsgi.input"]
        piece = body.read(WRITTEN_AT_ONCE)
        receiver = begin()
        try:
            while piece:
                receiver.feed(piece)
                piece = body.read(WRITTEN_AT_ONCE)
            return receiver.end()
        except BaseException:
            receiver.drop()
            raise

    async def arrived(self, environ: Environ, begin: Callable[[], Receiver], arriving: Arriving) -> Received:
        """Wait for the whole file: RequestTimeout where it comes too slowly, and all that a file can have."""
        in_thread = partial(asyncio.get_running_loop().run_in_executor, self._threads)
        receiver = await in_thread(begin)
        # The server lets a body be asked for once; of this it can be read on after a refusal.
        pieces = _pieces_of(arriving)
        try:
            await self._written(environ, receiver, pieces)
            return await in_thread(receiver.end)
        except RequestTimeout:
            self._threads.submit(receiver.drop)
            raise
        except ApiError:
            self._threads.submit(receiver.drop)
            # Whoever is still sending would lose its connection before it reads why.
            await drain(pieces)
            raise
        except BaseException:
            # Behind what the thread has begun, and also where nobody waits for it any more.
            self._threads.submit(receiver.drop)
            raise
        finally:
            await pieces.aclose()

    async def _written(
        self, environ: Environ, receiver: Receiver, arriving: AsyncGenerator[bytes, None]
    ) -> None:
        loop = asyncio.get_running_loop()
        length, size, ends, count = length_of(environ), 0, 0, 0
        pieces: list[bytes] = []
        gathered = 0
        began = loop.time()
        try:
            async with asyncio.timeout(self._seconds_max) as wait:
                self._waits.add(wait)
                async for piece in arriving:
                    size += len(piece)
                    ends += not piece
                    count += 1
                    require_few(count, size)
                    pieces.append(piece)
                    gathered += len(piece)
                    if gathered >= WRITTEN_AT_ONCE:
                        await loop.run_in_executor(self._threads, receiver.feed, b"".join(pieces))
                        pieces, gathered = [], 0
                        wait.reschedule(began + self._seconds_max + size / RATE_BYTES_MIN)
                    if size == length:
                        break
                require_whole(length, size, ends)
                await loop.run_in_executor(self._threads, receiver.feed, b"".join(pieces))
        except TimeoutError:
            raise RequestTimeout(
                f"The body came too slowly: {size} bytes. At least {RATE_BYTES_MIN} a second must come."
            ) from None
        finally:
            self._waits.discard(wait)

    def wait_no_more(self) -> None:
        """End all that are under way: RequestTimeout for each."""
        now = asyncio.get_running_loop().time()
        for wait in self._waits:
            wait.reschedule(now)

    def close(self) -> None:
        """End the thread."""
        self._threads.shutdown()

    def _begin(self, account_id: int, kind: FileBody, content_type: str) -> Receiver:
        leave = self._under_way.enter(account_id)
        try:
            with _on_a_disk():
                file = self._folder.new()
        except BaseException:
            leave()
            raise
        try:
            return Receiver(
                file,
                kind,
                content_type,
                bytes_max=self.bytes_max,
                text_bytes_max=self._text_bytes_max,
                leave=leave,
            )
        except BaseException:
            file.close()
            leave()
            raise


async def _pieces_of(arriving: Arriving) -> AsyncGenerator[bytes, None]:
    async for piece in arriving:
        yield piece


def require_type(request: falcon.Request, kind: FileBody) -> None:
    """Refuse a body that is of no type that is taken: UnsupportedMediaType."""
    content_type = request.content_type or ""
    found = media_type(content_type)
    if found == MULTIPART:
        boundary_of(content_type)
    elif found not in kind.formats:
        raise _unsupported(kind, content_type)
    coding = request.get_header("Content-Encoding", default="identity").strip().lower()
    if coding not in {"identity", "gzip", "x-gzip"} or (found == MULTIPART and coding != "identity"):
        raise UnsupportedMediaType(
            "Content-Encoding can be gzip, for a file that is the body itself; a form is not compressed."
        )


def media_type(content_type: str) -> str:
    """Return the type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def _charset_of(content_type: str) -> str | None:
    """Read the encoding that a header names; UTF-8 is named by many programs whatever they send."""
    try:
        _, options = mediatypes.parse_header(content_type)
    except ValueError:
        return None
    charset: str = options.get("charset", "").strip().lower()
    return None if charset in {"", "utf-8", "utf8"} else charset


def _unsupported(kind: FileBody, found: str) -> ApiError:
    taken = ", ".join(kind.formats)
    said = (
        f"{found!r} is no type of file that is taken here." if found else "The type of the file is not said."
    )
    return UnsupportedMediaType(f"{said} Send Content-Type: one of {taken}; or {MULTIPART}.")


@contextmanager
def _on_a_disk() -> Iterator[None]:
    """Turn what a disk can't do into an answer: another try may meet one that can."""
    try:
        yield
    except OSError as error:
        log("an upload can't be kept", reason=str(error))
        raise ServiceUnavailable("The server can't keep files at the moment. Try again later.") from None

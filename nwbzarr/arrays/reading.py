"""Boxes of stored arrays: what is needed of them is fetched concurrently and decoded by several threads to its place.

Opening costs nothing. A shard's index is asked for once; chunks that lie near each other in a shard come with one
request. On a local disk files are read where they are decoded. This room refuses to write.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from zarr.abc.store import RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from nwbzarr.arrays.parts import Part, box_shape, plan_parts
from nwbzarr.arrays.pieces import Piece, Wanted, plan_runs, within
from nwbzarr.arrays.pool import codec_pool, scratch
from nwbzarr.convention.codecs import DECODE_ERRORS
from nwbzarr.convention.shards import ABSENT
from nwbzarr.errors import ChunkError, NWBZarrError
from nwbzarr.stores.keys import LocalKeys
from nwbzarr.stores.virtual import VirtualKeys

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zarr.abc.store import Store

    from nwbzarr.arrays.blocks import BlockCache
    from nwbzarr.arrays.forms import ArrayForm
    from nwbzarr.convention.shards import Index
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.stores.virtual import FileChunks

Array = np.ndarray[Any, Any]

#: Where no object store ends an object, in bytes.
_LARGEST_OBJECT = 2**50

#: Requests for array data in flight at once.
CONCURRENCY = 24


class _ShardGoneError(ChunkError):
    """A shard that was there is not: reading it again would find fill values."""


class ArrayReader:
    """Reads boxes of one array.

    Parameters
    ----------
    form : ArrayForm
        Where its values are.
    keys : zarr.abc.store.Store
        Keys of the store that holds it.
    folder : str or None
        Where those keys are files, if they are.
    blocks : BlockCache
        Keeps what was read.
    version : tuple of str
        What tells this state of this store from any other.
    file : FileChunks, optional
        Where one file holds the chunks, if it holds them all.
    """

    def __init__(  # noqa: PLR0913 - what is read, from where, and what is kept of it
        self,
        form: ArrayForm,
        keys: Store,
        folder: str | None,
        blocks: BlockCache,
        version: tuple[str, ...],
        file: FileChunks | None = None,
    ) -> None:
        self.form = form
        self._chunks_in_file = file
        self._keys = keys
        self._folder = folder
        self._blocks = blocks
        self._version = version

    def read(self, *boxes: Sequence[Any]) -> list[Array]:
        """Return the values of some boxes, whose requests go side by side.

        Parameters
        ----------
        *boxes : sequence of slice or numpy.ndarray
            One for each axis: a slice with a positive step, or sorted distinct indices.

        Raises
        ------
        ChunkError
            When a chunk or shard is damaged; it names the region.
        """
        results = [np.empty(box_shape(box, self.form.shape), self.form.dtype) for box in boxes]
        wanted = [
            Wanted(part, out[part.target])
            for box, out in zip(boxes, results, strict=True)
            for part in plan_parts(box, self.form.shape, self.form.chunks)
        ]
        if self._chunks_in_file is not None and self._folder is not None:
            # A file on a disk is looked at for next to nothing; elsewhere it costs a request.
            self._chunks_in_file.check_state()
        wanted = [want for want in wanted if not self._from_memory(want)]
        try:
            self._run(wanted)
        except _ShardGoneError:
            raise
        except ChunkError:
            if self._chunks_in_file is not None:
                self._chunks_in_file.check_state()
            # What was appended since makes a new shard in the place of the old one: the index in hand may be that of
            # the old one, and the new one holds the same values.
            if not self._forget_indexes(wanted):
                raise
            self._run(wanted)
        return results

    def _run(self, wanted: list[Wanted]) -> None:
        if wanted and self._folder is None:
            sync(self._fetch(wanted))
        elif wanted:
            self._read_files(wanted)

    def _forget_indexes(self, wanted: list[Wanted]) -> bool:
        """Forget the indexes of the shards that are needed; False when none was known."""
        if self.form.shard is None:
            return False
        places = {self.form.place(want.part.chunk)[0] for want in wanted}
        for place in places:
            self._blocks.drop((*self._version, self.form.key(place), "index"))
        known = [self._blocks.drop_index((*self._version, self.form.key(place))) for place in places]
        return any(known)

    # From files.

    def _read_files(self, wanted: list[Wanted]) -> None:
        def read(piece: Piece) -> None:
            self._place(piece, self._file(piece.key, piece.start, piece.stop))

        places = [self.form.place(want.part.chunk) for want in wanted]
        indexes = {place[0]: self._file_index(place[0]) for place in places} if self.form.shard is not None else {}
        pieces = self._pieces(wanted, places, indexes)
        if len(pieces) < 2:  # noqa: PLR2004 - nothing to share out
            for piece in pieces:
                read(piece)
            return
        pending = [codec_pool().submit(read, piece) for piece in pieces]
        try:
            for future in pending:
                future.result()
        finally:
            for future in pending:
                future.cancel()

    def _file_index(self, place: tuple[int, ...]) -> Index | None:
        shard = self.form.shard
        key = self.form.key(place)
        name = (*self._version, key)
        known = self._blocks.index(name)
        if known is not None or shard is None:
            return known
        data = self._file(key, -shard.index_bytes if shard.at_end else 0, None if shard.at_end else shard.index_bytes)
        return self._index(place, data)

    def _file(self, key: str, start: int, stop: int | None) -> bytes | None:
        """Return a range of a file, from its end where `start` is negative; None when there is no file."""
        try:
            descriptor = os.open(f"{self._folder}/{key}", os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            size = os.fstat(descriptor).st_size
            first = max(size + start, 0) if start < 0 else start
            with open(descriptor, "rb", buffering=0, closefd=False) as file:
                file.seek(first)
                return file.read(max((size if stop is None else min(stop, size)) - first, 0))
        finally:
            os.close(descriptor)

    # From anywhere else.

    async def _fetch(self, wanted: list[Wanted]) -> None:
        gate = asyncio.Semaphore(CONCURRENCY)
        places = [self.form.place(want.part.chunk) for want in wanted]
        indexes: dict[tuple[int, ...], Index | None] = {}
        if self.form.shard is not None:
            distinct = list(dict.fromkeys(place for place, _ in places))
            found = await _together(self._fetch_index(place, gate) for place in distinct)
            indexes = dict(zip(distinct, found, strict=True))
        pieces = self._pieces(wanted, places, indexes)
        await _together(
            [
                *(self._decode_kept(piece, data, gate) for piece, data in self._from_disk(pieces)),
                *(self._fetch_run(run, gate) for run in plan_runs(pieces)),
            ]
        )

    async def _fetch_index(self, place: tuple[int, ...], gate: asyncio.Semaphore) -> Index | None:
        shard = self.form.shard
        key = self.form.key(place)
        known = self._blocks.index((*self._version, key))
        if known is not None or shard is None:
            return known
        name = (*self._version, key, "index")
        data = self._blocks.stored(name)
        if data is not None and len(data) == shard.index_bytes:
            return self._index(place, data)
        request = SuffixByteRequest(shard.index_bytes) if shard.at_end else RangeByteRequest(0, shard.index_bytes)
        async with gate:
            found = await self._get(key, request)
        data = None if found is None else bytes(found)
        index = self._index(place, data)
        if data is not None:
            self._blocks.store(name, data)
        return index

    def _from_disk(self, pieces: list[Piece]) -> list[tuple[Piece, bytes]]:
        """Return the pieces whose bytes are kept on disk, and take them out of `pieces`."""
        if self._blocks.disk is None:
            return []
        found = [(piece, data) for piece in pieces if (data := self._blocks.stored(self._name(piece))) is not None]
        for piece, _ in found:
            pieces.remove(piece)
        return found

    def _name(self, piece: Piece) -> tuple[Any, ...]:
        return (*self._version, piece.key, piece.start)

    async def _fetch_run(self, run: list[Piece], gate: asyncio.Semaphore) -> None:
        """Fetch what several pieces need with one request, and decode it."""
        first, last = run[0], run[-1]
        async with gate:
            request = None if first.stop is None else RangeByteRequest(first.start, last.stop or 0)
            data = await self._get(first.key, request)
            await self._decode_run(run, data)
            if data is not None and self._blocks.disk is not None:
                for piece in run:
                    self._blocks.store(self._name(piece), bytes(within(data, piece, first.start)))

    async def _decode_kept(self, piece: Piece, data: bytes, gate: asyncio.Semaphore) -> None:
        """Decode what was kept on disk; fetch it again when it was damaged there."""
        try:
            await self._decode_run([piece], data)
        except ChunkError:
            self._blocks.drop(self._name(piece))
            await self._fetch_run([piece], gate)

    async def _decode_run(self, run: list[Piece], data: bytes | None) -> None:
        loop, start = asyncio.get_running_loop(), run[0].start
        await asyncio.gather(
            *(loop.run_in_executor(codec_pool(), self._place, piece, within(data, piece, start)) for piece in run)
        )

    async def _get(self, key: str, request: Any) -> Any:
        value = await self._keys.get(key, default_buffer_prototype(), request)
        return None if value is None else memoryview(value.as_numpy_array())  # type: ignore[arg-type]

    # Chunks.

    def _from_memory(self, want: Wanted) -> bool:
        """Put a part in its place when its chunk is kept; False when it is not."""
        kept = self._blocks.chunk(self._chunk_name(want.part))
        if kept is None:
            return False
        want.target[...] = want.part.pick(kept)
        return True

    def _index(self, place: tuple[int, ...], data: bytes | None) -> Index | None:
        if data is None or self.form.shard is None:
            return None
        try:
            index = self.form.shard.parse_index(data)
        except NWBZarrError as error:
            region = self.form.region(place, self.form.objects)
            message = (
                f"{error.message} (object {self.form.key(place)}, region [{region}]); the other regions are readable, "
                "restore this one or write it again"
            )
            raise ChunkError(message, path=self.form.path) from error
        self._blocks.keep_index((*self._version, self.form.key(place)), index)
        return index

    def _pieces(
        self,
        wanted: Iterable[Wanted],
        places: Iterable[tuple[tuple[int, ...], int]],
        indexes: dict[tuple[int, ...], Index | None],
    ) -> list[Piece]:
        """Return where the bytes of each part are; parts that are not stored get the fill value."""
        pieces = []
        for want, (place, number) in zip(wanted, places, strict=True):
            if self._chunks_in_file is not None:
                span = self._chunks_in_file.ranges.span(place)
                if span is None:
                    want.target[...] = self.form.fill
                else:
                    pieces.append(Piece(want.part, want.target, self._chunks_in_file.name, *span))
            elif self.form.shard is None:
                pieces.append(Piece(want.part, want.target, self.form.key(place)))
            elif (span := self._span(want, place, number, indexes[place])) is None:
                want.target[...] = self.form.fill
            else:
                pieces.append(Piece(want.part, want.target, self.form.key(place), *span))
        return pieces

    def _span(self, want: Wanted, place: tuple[int, ...], number: int, index: Index | None) -> tuple[int, int] | None:
        """Return where a shard holds a chunk; None when it does not."""
        start, size = (ABSENT, ABSENT) if index is None else map(int, index[number])
        if (start, size) == (ABSENT, ABSENT):
            return None
        if start + size > _LARGEST_OBJECT:
            raise self._damaged(want.part, f"the index of {self.form.key(place)} leads to byte {start + size:,}")
        return start, start + size

    def _place(self, piece: Piece, data: bytes | memoryview | None) -> None:
        """Decode a chunk, and put what is wanted of it in its place."""
        part, target, form = piece.part, piece.target, self.form
        if data is None:
            if piece.stop is not None:
                message = self._damaged(part, f"{piece.key} has gone since its index was read").message
                raise _ShardGoneError(message, path=form.path)
            target[...] = form.fill
            return
        if piece.stop is not None and len(data) < piece.stop - piece.start:
            raise self._damaged(part, f"{piece.key} ends before the chunk does: it is cut off")
        if self._chunks_in_file is not None:
            data = self._chunks_in_file.ranges.filled(data)
        if target.shape == form.chunks and target.flags.c_contiguous and form.codec.decodes_in_place:
            values = self._decode(part, data, target.reshape(-1).view(np.uint8))
            if not np.may_share_memory(values, target):
                # Codecs that decode to memory of their own.
                target[...] = values
            return
        keep = self._is_worth_keeping(part, target)
        rows = None if keep else self._rows(part, data)
        if rows is not None:
            target[...] = rows
        elif keep:
            values = self._decode(part, data, None)
            values = values if values.flags.writeable else values.copy()
            self._blocks.keep_chunk(self._chunk_name(part), values)
            target[...] = part.pick(values)
        else:
            memory = scratch(form.chunk_bytes) if form.codec.fills_memory else None
            target[...] = part.pick(self._decode(part, data, memory))

    def _rows(self, part: Part, data: Any) -> Array | None:
        """Return a part of a chunk of which few rows are wanted, without decoding the rest; None when that cannot be."""
        cut = part.inside[0] if part.inside else None
        if not isinstance(cut, slice) or 2 * (cut.stop - cut.start) > self.form.chunks[0]:
            return None
        try:
            found = self.form.codec.decode_rows(data, self.form.chunks, slice(cut.start, cut.stop))
        except DECODE_ERRORS as error:
            raise self._damaged(part, str(error)) from error
        moved = Part(part.chunk, (slice(0, None, cut.step), *part.inside[1:]), part.target)
        return None if found is None else moved.pick(found)

    def _is_worth_keeping(self, part: Part, target: Array) -> bool:
        """Whether so little of a chunk is wanted that more of it may be wanted soon."""
        nbytes = self.form.chunk_bytes
        partial = target.nbytes * 2 < nbytes and self.form.dtype.kind not in "OT"
        return partial and self._blocks.takes(self._chunk_name(part), nbytes)

    def _chunk_name(self, part: Part) -> tuple[Any, ...]:
        return (*self._version, self.form.path, part.chunk)

    def _decode(self, part: Part, data: Any, memory: Array | None) -> Array:
        try:
            return self.form.codec.decode(data, self.form.chunks, memory)
        except DECODE_ERRORS as error:
            raise self._damaged(part, str(error)) from error

    def _damaged(self, part: Part, reason: str) -> ChunkError:
        region = self.form.region(part.chunk, self.form.chunks)
        message = (
            f"the chunk {part.chunk} must hold {self.form.dtype} of shape {self.form.chunks}, region [{region}], but it "
            f"cannot be decoded: {reason}; the other regions are readable, restore this one or write it again"
        )
        return ChunkError(message, path=self.form.path)


def open_reader(
    form: ArrayForm, url: StoreURL, keys: Store, blocks: BlockCache, version: tuple[str, ...]
) -> ArrayReader:
    """Return what reads an array of a store.

    Parameters
    ----------
    form : ArrayForm
        The array.
    url : StoreURL
        The store.
    keys : zarr.abc.store.Store
        Its keys.
    blocks : BlockCache
        Keeps what is read.
    version : tuple of str
        What tells this state of this store from any other.
    """
    file = keys.chunks_in_file(form.path) if isinstance(keys, VirtualKeys) else None
    if file is not None:
        url, keys = file.folder, file.keys
    folder = url.path if isinstance(keys, LocalKeys) else None
    return ArrayReader(form, keys, folder, blocks, version, file)


async def _together(work: Iterable[Any]) -> list[Any]:
    """Run coroutines side by side; when one fails, the others are stopped."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(task) for task in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]

"""Which rows a block takes and gives, where blocks need rows of their neighbours or come at another rate. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spans:
    """Blocks along the first axis.

    Row ``m`` of what is given stands at row ``m * down / up`` of what is taken. A block takes some rows on both sides
    of its own, as far as there are any.

    Attributes
    ----------
    length : int
        Rows that are taken in all.
    step : int
        Rows of one block; a multiple of `down`.
    before, after : int
        Rows that it takes of its neighbours; `before` is a multiple of `down`.
    up, down : int
        Rows that are given for rows that are taken.
    """

    length: int
    step: int
    before: int = 0
    after: int = 0
    up: int = 1
    down: int = 1

    @classmethod
    def around(cls, length: int, step: int, before: int = 0, after: int = 0, up: int = 1, down: int = 1) -> Spans:  # noqa: PLR0913
        """Return blocks of about `step` rows that take at least so many rows of their neighbours."""
        return cls(length, max(-(-step // down), 1) * down, -(-before // down) * down, after, up, down)

    @classmethod
    def beside(cls, length: int, step: int, before: int = 0, after: int = 0, up: int = 1, down: int = 1) -> Spans:  # noqa: PLR0913
        """Return such blocks of which each has all the rows that its neighbours need, the last one too."""
        wanted = cls.around(length, max(step, before, after), before, after, up, down)
        for count in range(wanted.count, 1, -1):
            made = cls.around(length, -(-length // count), before, after, up, down)
            rows = [made.step, length - (made.count - 1) * made.step]
            if min(rows) >= max(made.before, made.after):
                return made
        return cls.around(length, max(length, 1), before, after, up, down)

    @property
    def count(self) -> int:
        """Number of blocks; one for no rows."""
        return max(-(-self.length // self.step), 1)

    @property
    def total(self) -> int:
        """Rows that are given in all."""
        return -(-self.length * self.up // self.down)

    def taken(self, block: int) -> slice:
        """Return the rows that a block takes."""
        start = block * self.step
        return slice(max(start - self.before, 0), min(start + self.step + self.after, self.length))

    def given(self, block: int) -> slice:
        """Return the rows that it gives."""
        scale = self.step * self.up // self.down
        return slice(min(block * scale, self.total), min((block + 1) * scale, self.total))

    def kept(self, block: int) -> slice:
        """Return which rows it gives, of those that a function makes of all the rows that it takes."""
        skipped = self.taken(block).start * self.up // self.down
        given = self.given(block)
        return slice(given.start - skipped, given.stop - skipped)

    @property
    def sizes_taken(self) -> tuple[int, ...]:
        """Rows that the blocks take."""
        return tuple(part.stop - part.start for part in map(self.taken, range(self.count)))

    @property
    def sizes_alone(self) -> tuple[int, ...]:
        """Rows of the blocks without those of their neighbours."""
        return tuple(min(self.step, self.length - start) for start in range(0, self.length, self.step)) or (0,)

    @property
    def sizes_given(self) -> tuple[int, ...]:
        """Rows that the blocks give."""
        return tuple(part.stop - part.start for part in map(self.given, range(self.count)))

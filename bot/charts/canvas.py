"""A sheet to paint on in whole pixels, over matplotlib's Agg canvas, and out of it a PNG."""

import io
import threading
from collections.abc import Sequence
from types import TracebackType

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.transforms import IdentityTransform
from numpy.typing import NDArray

from bot.charts import fonts
from bot.charts.boxes import Box, Caption
from bot.liquidation.types import Floats

DPI = 72  # a point is a pixel


class _Sheets(threading.local):
    """One figure of each size a thread, so that its pixels (four bytes each) are allocated once and not per drawing."""

    def __init__(self) -> None:
        self._figures: dict[tuple[int, int], Figure] = {}

    def of(self, width: int, height: int) -> Figure:
        figure = self._figures.get((width, height))
        if figure is None:
            figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
            FigureCanvasAgg(figure)
            self._figures[width, height] = figure
        return figure


_sheets = _Sheets()


class Canvas:
    """Paint in order, from the back to the front, then take the `png`. Leaving it clears the sheet for the next one.

    One at a time in a thread; several threads may paint at once.
    """

    def __init__(self, width: int, height: int, background: str) -> None:
        self._figure = _sheets.of(width, height)
        self._background = background
        self._order = 0

    def __enter__(self) -> "Canvas":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._figure.clear()

    def rectangles(
        self,
        left: Floats,
        bottom: Floats,
        right: Floats,
        top: Floats,
        colour: str | Floats,
        *,
        alpha: float | None = None,
    ) -> None:
        """Filled rectangles with crisp edges; every array has shape (n,), `colour` is one for all or (n, 3)."""
        corners = np.stack((left, bottom, left, top, right, top, right, bottom), axis=-1).reshape(-1, 4, 2)
        self._add(PolyCollection(list(corners), facecolors=colour, alpha=alpha, linewidths=0, antialiaseds=False))

    def box(self, box: Box, colour: str, *, alpha: float | None = None) -> None:
        left, bottom, right, top = np.array([[box.left], [box.bottom], [box.right], [box.top]])
        self.rectangles(left, bottom, right, top, colour, alpha=alpha)

    def area(self, x: Floats, y: Floats, floor: float, colour: str, *, alpha: float) -> None:
        """What lies between a curve, shapes (n,), and a level."""
        outline = np.column_stack((np.concatenate((x, x[::-1])), np.concatenate((y, np.full(len(y), floor)))))
        self._add(PolyCollection([outline], facecolors=colour, alpha=alpha, linewidths=0))

    def lines(
        self, paths: Sequence[Floats], colour: str, width: float, *, alpha: float = 1.0, dashes: Sequence[float] = ()
    ) -> None:
        """Polylines, each of shape (n, 2)."""
        style = (0.0, tuple(dashes)) if dashes else "solid"
        self._add(
            LineCollection(
                list(paths), colors=colour, linewidths=width, alpha=alpha, linestyles=[style], joinstyle="round"
            )
        )

    def image(self, rgb: NDArray[np.uint8], left: int, bottom: int) -> None:
        """Pixels of shape (height, width, 3), the first row lowest, put down as they are."""
        self._figure.figimage(rgb, left, bottom, origin="lower", zorder=self._next())

    def pill(
        self, box: Box, colour: str, *, edge: str | None = None, edge_width: float = 0.0, radius: float = 9
    ) -> None:
        """A box with round corners."""
        patch = FancyBboxPatch(
            (box.left, box.bottom),
            box.width,
            box.height,
            boxstyle=f"round,pad=0,rounding_size={radius}",
            facecolor=colour,
            edgecolor=edge or "none",
            linewidth=edge_width,
        )
        patch.set_transform(IdentityTransform())
        patch.set_zorder(self._next())
        self._figure.add_artist(patch)

    def ring(self, x: float, y: float, radius: float, colour: str, halo: str) -> None:
        """A circle's outline over a broader one that sets it off from anything behind it."""
        for outline, width in ((halo, 4.5), (colour, 2.2)):
            patch = Circle((x, y), radius, facecolor="none", edgecolor=outline, linewidth=width)
            patch.set_transform(IdentityTransform())
            patch.set_zorder(self._next())
            self._figure.add_artist(patch)

    def write(self, caption: Caption, colour: str) -> None:
        """A caption in its box; nothing in it is read as markup."""
        x, y = caption.box.left, caption.box.bottom + fonts.descent(caption.px)
        if caption.vertical:
            x, y = caption.box.right - fonts.descent(caption.px), caption.box.bottom
        self._figure.text(
            x,
            y,
            caption.text,
            color=colour,
            fontproperties=fonts.typeface(caption.px, bold=caption.bold),
            transform=IdentityTransform(),
            horizontalalignment="right" if caption.vertical else "left",
            verticalalignment="bottom" if caption.vertical else "baseline",
            rotation=90 if caption.vertical else 0,
            rotation_mode="default",
            parse_math=False,
            zorder=self._next(),
        )

    def png(self) -> bytes:
        sink = io.BytesIO()
        self._figure.savefig(sink, format="png", dpi=DPI, facecolor=self._background, pil_kwargs={"compress_level": 3})
        return sink.getvalue()

    def _add(self, collection: PolyCollection | LineCollection) -> None:
        collection.set_transform(IdentityTransform())
        collection.set_zorder(self._next())
        self._figure.add_artist(collection)

    def _next(self) -> int:
        self._order += 1
        return self._order

"""An animated GIF of photographs that were taken one after the other."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from PIL import Image

COLOURS = 256
# Players take less than this for a mistake.
LEAST_MS = 50
# Where nothing moved for longer, nobody waits.
MOST_MS = 1500
# So long the last picture is seen before the film begins anew.
END_MS = 3000


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """A photograph, when it was taken, and how high the card in it was."""

    path: Path
    at_ms: int
    height: int


def write_film(shots: list[Shot], target: Path) -> None:
    """Write the photographs in their own pace, each of them up to the highest card.

    Raises `ValueError` without a photograph.
    """
    if not shots:
        raise ValueError("there is nothing to make a film of")
    height = max(shot.height for shot in shots)
    pictures: list[Image.Image] = []
    for shot in shots:
        with Image.open(shot.path) as photograph:
            whole = photograph.convert("RGB")
        pictures.append(whole.crop((0, 0, whole.width, min(height, whole.height))))
    palette = _palette(pictures)
    first, *more = [
        one.quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures
    ]
    first.save(
        target,
        save_all=True,
        append_images=more,
        duration=durations(shots),
        loop=0,
        optimize=True,
    )


def durations(shots: list[Shot]) -> list[int]:
    """Return how long each is seen, in milliseconds."""
    apart = [after.at_ms - before.at_ms for before, after in pairwise(shots)]
    return [*(max(LEAST_MS, min(MOST_MS, one)) for one in apart), END_MS]


def _palette(pictures: list[Image.Image]) -> Image.Image:
    """Return colours for all of them: what stays is the same, and no hue is lost."""
    some = pictures[:: max(1, len(pictures) // 8)]
    sheet = Image.new("RGB", (some[0].width, some[0].height * len(some)))
    for number, one in enumerate(some):
        sheet.paste(one, (0, number * some[0].height))
    return sheet.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)

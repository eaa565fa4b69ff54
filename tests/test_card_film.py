"""The film of the card: photographs become a GIF that moves in their pace."""

from pathlib import Path

from PIL import Image, ImageSequence
import pytest

from .pages import ROOT
from scripts.recording_lib.film import END_MS, LEAST_MS, MOST_MS, Shot, write_film

ORANGE, GREY = (255, 166, 0), (250, 250, 250)
FILM = ROOT / "docs" / "images" / "card.gif"


def photograph(folder: Path, at_ms: int, height: int, top: int) -> Shot:
    """Take one of a grey page with an orange line at a height of it."""
    path = folder / f"{at_ms}.png"
    picture = Image.new("RGB", (60, 90), GREY)
    picture.paste(ORANGE, (10, top, 14, top + 6))
    picture.save(path)
    return Shot(path=path, at_ms=at_ms, height=height)


def test_film(tmp_path: Path) -> None:
    """It is as high as the highest card, in its colours, and keeps the time."""
    shots = [
        photograph(tmp_path, 0, 40, 5),
        photograph(tmp_path, 10, 60, 15),
        photograph(tmp_path, 400, 50, 25),
        photograph(tmp_path, 60_000, 50, 35),
    ]
    target = tmp_path / "film.gif"
    write_film(shots, target)
    with Image.open(target) as film:
        assert film.size == (60, 60)
        assert film.info["loop"] == 0
        seen = [
            (frame.info["duration"], frame.convert("RGB"))
            for frame in ImageSequence.Iterator(film)
        ]
    assert [one for one, _ in seen] == [LEAST_MS, 390, MOST_MS, END_MS]
    for number, (_, picture) in enumerate(seen):
        assert picture.getpixel((11, 7 + 10 * number)) == ORANGE
        assert picture.getpixel((50, 50)) == GREY


def test_nothing_to_show(tmp_path: Path) -> None:
    """Without a photograph there is no film."""
    with pytest.raises(ValueError, match="nothing"):
        write_film([], tmp_path / "film.gif")


def test_the_film_of_the_documentation() -> None:
    """It moves, and is light enough for a page."""
    assert FILM.stat().st_size < 1_500_000
    with Image.open(FILM) as film:
        assert getattr(film, "n_frames", 1) > 10

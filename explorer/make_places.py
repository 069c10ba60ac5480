"""Make static/vendor/places.csv, the points at which counties are drawn, from the package that README.md there names.

`python -m explorer.make_places FOLDER`, where FOLDER holds the archive as the registry serves it: data only, no code of
it is run. An archive whose hash is not the one known is refused, so that the table is the same whoever makes it.

A code that the package does not have takes the point of the code under which the same place went before (GB/T 2260 as
catalog/regions has it). A place with neither has no point, and is not drawn: its prefecture's centre would be untrue.
"""

from __future__ import annotations

import csv
import hashlib
import io
import sys
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from explorer.places import PLACES, Point

ARCHIVE = "cpca-0.5.5-py3-none-any.whl"
SHA256 = "1635b589506b3e28424032bce61d2488e1f6fac1034a736014e70e043f824fe6"
INSIDE = "cpca/resources/adcodes.csv"
CODES = Path(__file__).resolve().parent.parent / "catalog" / "regions" / "gb2260.csv"


class NotKnown(Exception):
    """The archive is not the one that the table is made from."""


def main(folder: Path) -> None:
    """Raises NotKnown, and OSError where a file is not there."""
    with CODES.open(encoding="utf-8", newline="") as file:
        places = choose_points(read_archive(folder / ARCHIVE), list(csv.DictReader(file)))
    with PLACES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("code", "longitude", "latitude"))
        writer.writerows((code, *(f"{degrees:.3f}" for degrees in point)) for code, point in sorted(places.items()))


def read_archive(path: Path) -> dict[str, Point]:
    """Code to degrees east and north, of every place of the package that has them."""
    content = path.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        raise NotKnown(f"{path.name} has SHA-256 {found}, and the table is made from {SHA256}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(INSIDE) as file:
        rows = csv.DictReader(io.TextIOWrapper(file, "utf-8", newline=""))
        return {row["adcode"][:6]: (float(row["longitude"]), float(row["latitude"])) for row in rows if row["latitude"]}


def choose_points(known: Mapping[str, Point], codes: Iterable[Mapping[str, str]]) -> dict[str, Point]:
    """The points of counties: of the codes that are in force, and of older ones that the package itself has."""
    rows = [row for row in codes if row["level"] == "county"]
    found = {row["code"]: known[row["code"]] for row in rows if row["code"] in known}
    is_new = True
    while is_new:  # a place may have changed its code several times
        is_new = False
        for row in rows:
            for code in row["successors"].split():
                if row["code"] in found and code not in found:
                    found[code] = found[row["code"]]
                    is_new = True
    in_force = {row["code"] for row in rows if not row["to"]}
    return {code: point for code, point in found.items() if code in known or code in in_force}


if __name__ == "__main__":
    main(Path(sys.argv[1]))

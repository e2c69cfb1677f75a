"""A session with the made-up extension, as PyNWB makes it from the namespace files and hdmf-zarr writes it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pynwb
from hdmf_zarr import NWBZarrIO


def run(path: str, namespaces: list[str]) -> None:
    """Write the session that `tests.extensions.lab_session` describes.

    Parameters
    ----------
    path : str
        Place of the store.
    namespaces : list of str
        The namespace files, each after those it includes.
    """
    for file in namespaces:
        pynwb.load_namespaces(file)
    lamp_class = pynwb.get_class("LabLamp", "ndx-parts")
    licks_class, ratings_class, score_class, rig_class, edges_class = (
        pynwb.get_class(name, "ndx-lab") for name in ("LabLicks", "LabRatings", "LabScore", "LabRig", "LabEdges")
    )
    session = pynwb.NWBFile("d", "i", datetime(2024, 1, 1, tzinfo=UTC))
    plain = pynwb.TimeSeries(name="plain", data=[0.0, 1.0, 2.0, 3.0], unit="V", rate=1.0)
    session.add_acquisition(plain)
    lamp = lamp_class(name="lamp", watts=40.0, manufacturer="m")
    session.add_device(lamp)
    licks = licks_class(name="licks", data=[1.0, 2.0, 3.0], spout=2, rate=10.0, lamp=lamp, unit="licks")
    session.add_acquisition(licks)
    score = score_class(name="score", description="s", data=[1.0, 2.0, 3.0], rater="Ada")
    ratings = ratings_class(name="ratings", description="d", method="by eye", columns=[score], colnames=["score"])
    ratings.add_column(name="extra", description="e", data=[1, 2, 3])
    edges = np.array([(1, 0.5, licks), (2, 0.25, plain)], dtype=[("rank", "u4"), ("weight", "f8"), ("series", "O")])
    rig = rig_class(
        name="rig",
        serial=7,
        temperature=[20.5, 21.0],
        main=lamp,
        edges=edges_class(name="edges", data=edges),
        corners=np.array([(1.0, 3), (2.0, 4)], dtype=[("x", "f8"), ("count", "i4")]),
        lab_lamps=[lamp_class(name="spare", watts=1.0)],
        ratings=ratings,
        watched=licks,
    )
    session.add_lab_meta_data(rig)
    with NWBZarrIO(path, "w") as io:
        io.write(session)

"""PyNWB on our stores: `NWBZarrIO` reads and writes its containers, `to_pynwb` and `from_pynwb` lead from one to the other.

Needs the extra ``pynwb``. PyNWB's build layer (hdmf builders) stands between its containers and ours: this room turns
stored nodes into builders, and builders into plans; how a plan is carried out is nothing of its own.
"""

from nwbzarr.interop.pynwb.io import NWBZarrIO, from_pynwb, to_pynwb

__all__ = ["NWBZarrIO", "from_pynwb", "to_pynwb"]

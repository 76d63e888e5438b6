"""An ICTBroadcast server to practise on: both API generations over real HTTP, with a truth log and
faults.

`python -m provisioning.simulator` runs it as a process of its own, `Simulator.start()` inside a
test.
"""

from provisioning.simulator.simulator import Simulator

__all__ = ["Simulator"]

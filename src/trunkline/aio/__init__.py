"""The only floor with asyncio, sockets, clocks and dice: it brings bytes and time to the machines."""

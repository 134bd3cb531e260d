"""The desk: global and small. What the monitor would warn of becomes a warning here, with an answer to the monitor."""
